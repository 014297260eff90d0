# How a workload is watched. Each image's `workload` is run by bash after this file, with
#   IMAGE     the image
#   NAME      a name for its container
#   WORKLOAD  first or second: two different uses of the image
#   PROFILE   where the profile goes
#   JETTISON  the program
# and DOCKER_HOST. The host's own curl and bash speak to the containers, over the host's network.
set -euo pipefail
options=()
watch=
# A workload that fails leaves neither its container nor who watches it.
trap 'docker rm --force --volumes "$NAME" >/dev/null 2>&1 || true' EXIT

# Starts the container under `jettison profile`; words are its command.
start() {
    docker create --name "$NAME" --network host "${options[@]}" "$IMAGE" "$@" >/dev/null
    "$JETTISON" profile --quiet --container "$NAME" --output "$PROFILE" &
    watch=$!
}

# Waits until something listens on the port.
answers() {
    for _ in $(seq 300); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
        sleep 0.1
    done
    echo "nothing listens on port $1:" >&2
    docker logs "$NAME" >&2
    exit 1
}

# Waits for a command that ends by itself.
ends() {
    wait "$watch"
    local code
    code=$(docker inspect --format '{{.State.ExitCode}}' "$NAME")
    docker logs "$NAME" 2>&1 | tail -n 3
    docker rm --volumes "$NAME" >/dev/null
    [ "$code" = 0 ] || { echo "the workload ended with $code" >&2; exit 1; }
}

# Ends a service.
finish() {
    docker stop --time 20 "$NAME" >/dev/null
    wait "$watch"
    docker logs "$NAME" 2>&1 | tail -n 3
    docker rm --volumes "$NAME" >/dev/null
}

get() {
    curl --silent --show-error --max-time 30 "$@"
    echo
}
