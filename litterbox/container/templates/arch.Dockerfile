# The box {name}, built by `litterbox build {name}`. It is yours: add what your work needs.
# A file beside this one can be copied in: COPY my-tools.sh /usr/local/bin/
# An executable /prep-home.sh in the image is run once, as the user, by the first entry into a new home.
FROM docker.io/library/archlinux:latest

# The box's user; litterbox passes your own name and ids, and mounts the box's home at /home/user.
ARG USER
ARG UID
ARG GID

RUN pacman --sync --refresh --sysupgrade --noconfirm \
        bash-completion curl git less nano openssh sudo \
    && pacman --sync --clean --clean --noconfirm

RUN if old=$(getent passwd "$UID" | cut -d: -f1) && [ -n "$old" ]; then userdel "$old"; fi \
    && (getent group "$GID" >/dev/null || groupadd --gid "$GID" "$USER") \
    && useradd --uid "$UID" --gid "$GID" --home-dir /home/user --no-create-home --shell /bin/bash "$USER" \
    && mkdir -p /etc/sudoers.d \
    && echo "$USER ALL=(ALL:ALL) NOPASSWD: ALL" >/etc/sudoers.d/litterbox
