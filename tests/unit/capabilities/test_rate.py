"""So often at once, and then again after an interval each; never more than a burst was saved up."""

from litterbox.capabilities.rate import Rate


async def test_a_burst_and_then_one_an_interval(mock_clock):
    rate = Rate(3, 2.0)
    assert [rate.take() for _ in range(5)] == [True, True, True, False, False]
    mock_clock.jump(1.9)
    assert not rate.take()
    mock_clock.jump(0.2)
    assert rate.take()
    assert not rate.take()
    mock_clock.jump(1000)
    assert [rate.take() for _ in range(5)] == [True, True, True, False, False]
