"""Displays are remembered newest first, bounded, and only what can be one."""

from litterbox.daemon.displays import MAX_LOGINS, Displays, environment_on


def test_the_newest_is_first_and_none_twice():
    displays = Displays()
    for name in (":1", ":2", ":1"):
        displays.add({"DISPLAY": name})
    assert displays.newest_first() == [{"DISPLAY": ":1"}, {"DISPLAY": ":2"}]


def test_a_login_without_a_display_is_not_one():
    displays = Displays()
    displays.add({})
    displays.add({"DBUS_SESSION_BUS_ADDRESS": "unix:path=/x"})
    assert displays.newest_first() == []


def test_only_known_names_with_short_strings_are_kept():
    displays = Displays()
    displays.add({"DISPLAY": ":1", "LD_PRELOAD": "/evil.so", "WAYLAND_DISPLAY": "x" * 5000})
    assert displays.newest_first() == [{"DISPLAY": ":1"}]


def test_old_logins_are_forgotten():
    displays = Displays()
    for number in range(MAX_LOGINS + 5):
        displays.add({"DISPLAY": f":{number}"})
    assert len(displays.newest_first()) == MAX_LOGINS


def test_a_program_of_the_users_finds_itself_on_that_display_alone(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":1")
    monkeypatch.setenv("XAUTHORITY", "/tmp/of-display-1")
    monkeypatch.setenv("EDITOR", "vi")
    environment = environment_on({"WAYLAND_DISPLAY": "wayland-0"})
    assert environment["EDITOR"] == "vi"
    assert environment["WAYLAND_DISPLAY"] == "wayland-0"
    assert not {"DISPLAY", "XAUTHORITY"} & environment.keys()
