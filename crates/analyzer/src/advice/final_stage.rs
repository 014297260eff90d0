//! What an image is set to, as instructions of a Dockerfile: environment, user, command.

use std::fmt::Write as _;

use crate::content::secret::{hidden, hidden_words};
use crate::image::Config;

/// The instructions that set an image up as `config` says, without its files. `None` where
/// something in it cannot be written into a Dockerfile: a line end. Secrets are never repeated: a
/// comment stands where they have to be given.
pub fn settings(config: &Config) -> Option<String> {
    let mut text = String::new();
    for row in &config.env {
        let (name, value) = row.split_once('=').unwrap_or((row, ""));
        if hidden(row) != *row {
            let _ = writeln!(text, "# ENV {name} holds a secret: give it when the image runs");
            continue;
        }
        let _ = writeln!(text, "ENV {name}={}", quoted(value)?);
    }
    for (name, value) in &config.labels {
        // What builders note of themselves is not the next one's.
        if !name.starts_with("io.buildah.") {
            let _ = writeln!(text, "LABEL {}={}", quoted(name)?, quoted(value)?);
        }
    }
    for port in &config.exposed_ports {
        let _ = writeln!(text, "EXPOSE {}", plain(port)?);
    }
    if !config.volumes.is_empty() {
        let _ = writeln!(text, "VOLUME {}", words(&config.volumes)?);
    }
    if !config.working_dir.is_empty() && config.working_dir != "/" {
        let _ = writeln!(text, "WORKDIR {}", plain(&config.working_dir)?);
    }
    if !config.user.is_empty() {
        let _ = writeln!(text, "USER {}", plain(&config.user)?);
    }
    if !config.stop_signal.is_empty() {
        let _ = writeln!(text, "STOPSIGNAL {}", plain(&config.stop_signal)?);
    }
    if !config.shell.is_empty() {
        let _ = writeln!(text, "SHELL {}", words(&config.shell)?);
    }
    let health = &config.healthcheck;
    let flags = config.healthcheck_flags.iter().fold(String::new(), |all, flag| all + flag + " ");
    match health.first().map(String::as_str) {
        None => {}
        Some("NONE") => text.push_str("HEALTHCHECK NONE\n"),
        Some("CMD-SHELL") => {
            let command =
                health.get(1).map(|line| hidden(line)).filter(|line| !line.contains('\n'))?;
            let _ = writeln!(text, "HEALTHCHECK {flags}CMD {command}");
        }
        Some(_) => {
            let _ =
                writeln!(text, "HEALTHCHECK {flags}CMD {}", words(&hidden_words(&health[1..]))?);
        }
    }
    for (instruction, own) in [("ENTRYPOINT", &config.entrypoint), ("CMD", &config.cmd)] {
        if own.is_empty() {
            continue;
        }
        let shown = hidden_words(own);
        if shown != *own {
            let _ = writeln!(text, "# {instruction} holds a secret: give it when the image runs");
        }
        let _ = writeln!(text, "{instruction} {}", words(&shown)?);
    }
    Some(text)
}

/// A value in double quotes, with nothing in it that the builder would expand.
fn quoted(value: &str) -> Option<String> {
    let mut text = String::from("\"");
    for character in value.chars() {
        match character {
            '\n' | '\r' | '\0' => return None,
            '"' | '\\' | '$' => text.extend(['\\', character]),
            other => text.push(other),
        }
    }
    text.push('"');
    Some(text)
}

/// A word that stands by itself, with nothing that the builder would expand.
fn plain(word: &str) -> Option<String> {
    if word.chars().any(char::is_control) {
        return None;
    }
    Some(word.replace('\\', "\\\\").replace('$', "\\$"))
}

/// Words in exec form. JSON escapes what has to be.
fn words(words: &[String]) -> Option<String> {
    serde_json::to_string(words).ok().map(|text| text.replace("\",\"", "\", \""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> Config {
        Config::parse("a test", json.as_bytes()).unwrap()
    }

    #[test]
    fn settings_become_instructions() {
        let config = config(
            r#"{"config": {"Env": ["PATH=/bin", "A=a \"b\" $c \\d"], "Entrypoint": ["/app", "x,y"],
                "Cmd": ["--port", "80"], "User": "10:10", "WorkingDir": "/srv",
                "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/data": {}}, "StopSignal": "SIGQUIT",
                "Labels": {"a b": "c"}, "Healthcheck": {"Test": ["CMD-SHELL", "curl -f http://localhost"],
                "Interval": 30000000000, "Timeout": 1500000000, "Retries": 3}}}"#,
        );
        assert_eq!(
            settings(&config).unwrap(),
            "ENV PATH=\"/bin\"\nENV A=\"a \\\"b\\\" \\$c \\\\d\"\nLABEL \"a b\"=\"c\"\n\
             EXPOSE 80/tcp\nVOLUME [\"/data\"]\nWORKDIR /srv\nUSER 10:10\nSTOPSIGNAL SIGQUIT\n\
             HEALTHCHECK --interval=30s --timeout=1500000000ns --retries=3 CMD curl -f http://localhost\n\
             ENTRYPOINT [\"/app\", \"x,y\"]\nCMD [\"--port\", \"80\"]\n"
        );
    }

    #[test]
    fn secrets_are_not_repeated() {
        let config = config(
            r#"{"config": {"Env": ["API_TOKEN=abc123", "DB=postgres://me:abc@h/d", "A=1"],
                "Cmd": ["app", "--password", "abc"]}}"#,
        );
        assert_eq!(
            settings(&config).unwrap(),
            "# ENV API_TOKEN holds a secret: give it when the image runs\n\
             # ENV DB holds a secret: give it when the image runs\nENV A=\"1\"\n\
             # CMD holds a secret: give it when the image runs\n\
             CMD [\"app\", \"--password\", \"***\"]\n"
        );
    }

    #[test]
    fn line_ends_cannot_be_written() {
        assert_eq!(settings(&config(r#"{"config": {"Env": ["A=a\nb"]}}"#)), None);
        assert_eq!(settings(&config("{}")).unwrap(), "");
    }
}
