log() { printf '%s %s\n' "$(date -u +%H:%M:%S)" "$*" | sed 's/^/[service] /'; }

task_check() {
    local total
    total=$(free -b | awk '/^Mem:/ { print $2 }')
    jq -n --argjson total "$total" '{memory: $total}'
    find /etc -maxdepth 1 -name '*.conf' -print0 | xargs -0 -n 1 basename | sort | head -n 3
}

task_seal() {
    local secret
    secret=$(mktemp)
    head -c 100 /dev/urandom | base64 > "$secret"
    openssl enc -aes-256-cbc -pbkdf2 -pass pass:x -in "$secret" | sha256sum
    tar -C /opt -czf - service | gzip -dc | wc -c
    ps -eo pid,comm | tail -n 2
    curl --silent --max-time 2 http://127.0.0.1:1/ || log "nobody answers"
    if grep -q service /opt/service/start.sh; then diff /etc/hosts /etc/hostname | wc -l; fi
    rm -f "$secret"
}
