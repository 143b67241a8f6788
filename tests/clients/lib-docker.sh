# shellcheck shell=bash
# lib-docker.sh - sourced after lib.sh: dockerd on files of its own, whose default runtime is the tested one.

dockerd_start() { # [flag...]
    # --containerd is not given: dockerd runs one of its own below the exec root
    dockerd --data-root "$W/docker" --exec-root "$W/exec" --pidfile "$W/dockerd.pid" --host "unix://$W/docker.sock" \
        --config-file "$W/daemon.json" --oom-score-adjust 0 --live-restore --cgroup-parent "/$PREFIX" \
        --add-runtime "tested=$RUNTIME" --default-runtime tested "$@" >>"$W/dockerd.log" 2>&1 </dev/null &
    wait_for 30 docker_ version || bail_out "dockerd did not start: $(tail -n 3 "$W/dockerd.log")"
}

dockerd_stop() { # signal
    local pid
    pid=$(cat "$W/dockerd.pid")
    kill "$1" "$pid"
    wait_for 20 gone "$pid"
}

docker_() { DOCKER_CONFIG=$W/client timeout --foreground 60 docker --host "unix://$W/docker.sock" "$@"; }

# a daemon with the image bb. BRIDGE holds the flags of its network
docker_place() {
    echo '{}' >"$W/daemon.json"
    # a bridge needs packet filtering in our network namespace; without it only that test is lost
    if iptables -t nat -L -n >/dev/null 2>&1 && iptables -t filter -L -n >/dev/null 2>&1; then
        BRIDGE=(--bip 10.93.0.1/24 --ip6tables=false)
    else
        BRIDGE=(--bridge none --iptables=false --ip6tables=false)
    fi
    dockerd_start "${BRIDGE[@]}"
    tar -C "$W/rootfs" -c . | docker_ import --change 'CMD ["/bin/sh"]' --change 'ENV PATH=/bin' - bb >"$W/import" 2>&1 ||
        bail_out "docker import failed: $(tail -n 1 "$W/import")"
}
