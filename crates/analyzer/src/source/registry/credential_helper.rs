//! Programs that keep credentials: `docker-credential-NAME get` reads a server's name from its
//! standard input and answers in JSON.

use std::io::{ErrorKind, Write as _};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::source::registry::credential::Secret;
use jettison_oci::escape;

/// The user name under which helpers hand out identity tokens.
const TOKEN_USER: &str = "<token>";
/// How every helper says that it has nothing for the server.
const NOT_FOUND: &str = "credentials not found";
/// Characters of a helper's message that are repeated to the user.
const MESSAGE_MAX: usize = 300;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    secret: String,
}

/// The program that `name` stands for in an auth file.
pub(super) fn program(name: &str) -> String {
    format!("docker-credential-{name}")
}

/// What the helper `name` has for `server`. The error says why it could not answer.
pub(super) fn get(name: &str, server: &str) -> Result<Option<Secret>, String> {
    if name.contains(['/', '\0']) {
        return Err("a helper is named by the last part of its program's name, not a path".into());
    }
    run(Command::new(program(name)), server)
}

fn run(mut command: Command, server: &str) -> Result<Option<Secret>, String> {
    let mut child = command
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                "it is not on the PATH: install it, or take it out of the file".to_owned()
            }
            _ => format!("it cannot be run: {error}"),
        })?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that ends without reading says why in its answer.
        let _ = stdin.write_all(server.as_bytes());
    }
    let output =
        child.wait_with_output().map_err(|error| format!("its answer cannot be read: {error}"))?;
    if !output.status.success() {
        // The protocol puts messages on standard output; what broke earlier is on the other.
        let said = |bytes: &[u8]| escape::line(&String::from_utf8_lossy(bytes));
        let message = match said(&output.stdout) {
            message if message.is_empty() => said(&output.stderr),
            message => message,
        };
        if message.contains(NOT_FOUND) {
            return Ok(None);
        }
        let message: String = message.chars().take(MESSAGE_MAX).collect();
        return Err(format!("it failed ({}): {message}", output.status));
    }
    // The parser's words may repeat the secret.
    let answer: Answer = serde_json::from_slice(&output.stdout)
        .map_err(|_| "its answer is not the JSON that helpers give".to_owned())?;
    Ok(match answer {
        Answer { secret, .. } if secret.is_empty() => None,
        Answer { username, secret } if username == TOKEN_USER => {
            Some(Secret::IdentityToken(secret))
        }
        Answer { username, secret } => Some(Secret::Password { user: username, password: secret }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a helper that is found by its name on a PATH of its own: the shell, which reads the
    /// script named `get`. No file that was just written is executed, which would race with other
    /// tests' forks.
    fn ask(script: &str) -> Result<Option<Secret>, String> {
        let directory = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/bin/sh", directory.path().join(program("test"))).unwrap();
        fs_err::write(directory.path().join("get"), script).unwrap();
        let mut command = Command::new(program("test"));
        command.current_dir(directory.path());
        command.env("PATH", format!("{}:/usr/bin:/bin", directory.path().display()));
        run(command, "registry.example:5000")
    }

    #[test]
    fn asks_for_the_server_and_takes_passwords_and_tokens() {
        let script = r#"test "$(cat)" = registry.example:5000 &&
            echo '{"ServerURL":"x","Username":"alice","Secret":"s3"}'"#;
        let password = Secret::Password { user: "alice".into(), password: "s3".into() };
        assert_eq!(ask(script), Ok(Some(password)));
        let token = r#"echo '{"Username":"<token>","Secret":"t0"}'"#;
        assert_eq!(ask(token), Ok(Some(Secret::IdentityToken("t0".into()))));
    }

    #[test]
    fn nothing_found_is_no_failure() {
        let script = "echo 'credentials not found in native keychain'; exit 1";
        assert_eq!(ask(script), Ok(None));
        assert_eq!(ask(r#"echo '{"Username":"","Secret":""}'"#), Ok(None));
    }

    #[test]
    fn failures_repeat_the_helper_but_never_its_secret() {
        let failed = ask("printf 'the \\033[31mkeychain is locked'; exit 3").unwrap_err();
        assert_eq!(failed, "it failed (exit status: 3): the \\x1b[31mkeychain is locked");
        assert!(ask("echo oops >&2; exit 1").unwrap_err().ends_with(": oops"));
        let malformed = ask(r#"echo '{"Secret":["hunter2"]}'"#).unwrap_err();
        assert!(!malformed.contains("hunter2"), "{malformed}");
        let missing = get("jettison-absent", "registry.example").unwrap_err();
        assert!(missing.contains("not on the PATH"), "{missing}");
        assert!(get("../evil", "registry.example").unwrap_err().contains("not a path"));
    }
}
