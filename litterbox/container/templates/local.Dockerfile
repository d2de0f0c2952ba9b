# The box {name}, built by `litterbox build {name}`. It is yours: add what your work needs.
# A file beside this one can be copied in: COPY my-tools.sh /usr/local/bin/
# An executable /prep-home.sh in the image is run once, as the user, by the first entry into a new home.
FROM {image}

# The box's user; litterbox passes your own name and ids, and mounts the box's home at /home/user.
ARG USER
ARG UID
ARG GID

# Made for any image that has a shell: with useradd where there is one, by hand where there is not.
RUN shell=$(command -v bash || echo /bin/sh); \
    if command -v useradd >/dev/null; then \
        old=$(grep "^[^:]*:[^:]*:$UID:" /etc/passwd | cut -d: -f1); \
        if [ -n "$old" ]; then userdel "$old"; fi; \
        grep -q "^[^:]*:[^:]*:$GID:" /etc/group || groupadd --gid "$GID" "$USER"; \
        useradd --uid "$UID" --gid "$GID" --home-dir /home/user --no-create-home --shell "$shell" "$USER"; \
    else \
        touch /etc/passwd /etc/group; \
        grep -q "^[^:]*:[^:]*:$GID:" /etc/group || echo "$USER:x:$GID:" >>/etc/group; \
        grep -q "^[^:]*:[^:]*:$UID:" /etc/passwd || echo "$USER:*:$UID:$GID::/home/user:$shell" >>/etc/passwd; \
    fi
