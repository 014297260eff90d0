//! Programs whose arguments say what else is started, by their names.

use crate::content::script::is_shell;

/// Start the command that is among their arguments.
const WRAPPERS: [&[u8]; 36] = [
    b"tini",
    b"tini-static",
    b"dumb-init",
    b"gosu",
    b"su-exec",
    b"env",
    b"catatonit",
    b"setpriv",
    b"nice",
    b"nohup",
    b"timeout",
    b"stdbuf",
    b"sudo",
    b"runuser",
    b"chroot",
    b"setarch",
    b"setsid",
    b"time",
    b"ionice",
    b"xargs",
    b"exec",
    b"docker-init",
    b"s6-setuidgid",
    b"chpst",
    b"unshare",
    b"setuidgid",
    b"with-contenv",
    b"start-stop-daemon",
    b"dockerize",
    b"chamber",
    b"envconsul",
    b"fixuid",
    b"aws-lambda-rie",
    b"opentelemetry-instrument",
    b"ddtrace-run",
    b"newrelic-admin",
];

/// Interpreters, supervisors and runners of packages, by the front of their names.
const FRONTS: [&[u8]; 20] = [
    b"python",
    b"pypy",
    b"node",
    b"java",
    b"php",
    b"perl",
    b"ruby",
    b"bundle",
    b"rails",
    b"rake",
    b"busybox",
    b"s6-",
    b"supervisord",
    b"runsvdir",
    b"cron",
    b"supercronic",
    b"npm",
    b"npx",
    b"yarn",
    b"pnpm",
];

/// Whether a program of this name starts the command that is among its arguments.
pub fn is_wrapper(name: &[u8]) -> bool {
    WRAPPERS.contains(&name)
}

/// Whether the arguments of a program of this name say what else is used.
pub fn tells(name: &[u8]) -> bool {
    is_wrapper(name)
        || is_shell(name)
        || name == b"su"
        || FRONTS.iter().any(|front| name.starts_with(front))
}
