#!/bin/bash
# Runs one task, with what all tasks have in common.
set -euo pipefail
here=$(dirname "$0")
. "$here/lib.sh"
task=$1
shift
log "task $task"
"task_$task" "$@"
