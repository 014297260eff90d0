//! The commands of a RUN, as its history has them: words joined by spaces, nothing quoted.

/// A RUN's command line.
pub(super) struct Line {
    text: String,
}

/// Between two simple commands.
const SEPARATORS: [&str; 5] = ["&&", "||", ";", "|", "&"];
/// What may stand before a command's own word.
const BEFORE: [&str; 7] = ["sudo", "env", "exec", "then", "do", "(", "{"];

impl Line {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.trim().to_owned() }
    }

    /// Whether one of its commands is `tool`.
    pub(super) fn runs(&self, tool: &str) -> bool {
        self.command(&[tool]).is_some()
    }

    /// `None` where a word is there already.
    pub(super) fn without(&self, word: &str) -> Option<()> {
        (!self.text.split(' ').any(|one| one == word)).then_some(())
    }

    /// Where the words of a command of one of `tools` start, behind its own word.
    fn command(&self, tools: &[&str]) -> Option<usize> {
        let mut starts = true;
        let mut at = 0;
        for word in self.text.split(' ') {
            let end = at + word.len();
            let bare = word.trim_start_matches(['(', '{']);
            if starts && tools.contains(&bare.rsplit('/').next().unwrap_or_default()) {
                return Some(end);
            }
            let is_assignment = word.split_once('=').is_some_and(|(name, _)| {
                name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            });
            starts = SEPARATORS.contains(&word)
                || word.ends_with(';')
                || starts
                    && (is_assignment || BEFORE.contains(&word) || word == "-o" || word == "set");
            at = end + 1;
        }
        None
    }

    /// The RUN with a flag behind a command's verb: `apt-get install --flag …`.
    pub(super) fn flag(&self, tools: &[&str], verb: &str, flag: &str) -> Option<String> {
        let mut rest = self.text.as_str();
        let mut done = String::new();
        let mut is_found = false;
        // Each command of the line that has the verb.
        while let Some(start) = (Self { text: rest.to_owned() }).command(tools) {
            let words = &rest[start..];
            let end = words
                .match_indices(' ')
                .map(|(at, _)| at)
                .find(|at| {
                    SEPARATORS.contains(&words[at + 1..].split(' ').next().unwrap_or_default())
                })
                .unwrap_or(words.len());
            let own = &words[..end];
            done.push_str(&rest[..start]);
            match behind(own, verb, flag) {
                Some(own) => {
                    is_found = true;
                    done.push_str(&own);
                }
                None => done.push_str(own),
            }
            rest = &words[end..];
            // Behind the separator another command starts.
            let Some((separator, behind)) =
                rest.strip_prefix(' ').and_then(|rest| rest.split_once(' '))
            else {
                break;
            };
            done.push(' ');
            done.push_str(separator);
            done.push(' ');
            rest = behind;
        }
        is_found.then(|| format!("RUN {done}{rest}"))
    }

    /// The RUN with another command at its end, where it runs one of `tools`.
    pub(super) fn then(&self, tools: &[&str], command: &str) -> Option<String> {
        self.command(tools)?;
        self.always(command)
    }

    /// The RUN with another command at its end, unless that is there.
    pub(super) fn always(&self, command: &str) -> Option<String> {
        (!self.text.contains(command)).then(|| format!("RUN {} && {command}", self.text))
    }
}

/// A text with `flag` behind the first word that is `word`.
pub(super) fn behind(text: &str, word: &str, flag: &str) -> Option<String> {
    let mut at = 0;
    for one in text.split(' ') {
        let end = at + one.len();
        if one == word {
            return Some(format!("{} {flag}{}", &text[..end], &text[end..]));
        }
        at = end + 1;
    }
    None
}

/// The flags by which COPY does what a RUN of nothing but `chmod` and `chown` does.
pub(super) fn copy_flags(run: &str) -> Option<String> {
    let mut flags = Vec::new();
    for command in run.split(" && ") {
        let mut words = command.split(' ').filter(|word| !word.starts_with('-'));
        let (tool, value) = (words.next()?, words.next()?);
        match tool.rsplit('/').next()? {
            "chmod" if value.bytes().all(|b| (b'0'..=b'7').contains(&b)) => {
                flags.push(format!("--chmod={value}"));
            }
            "chown" => flags.push(format!("--chown={value}")),
            _ => return None,
        }
    }
    (!flags.is_empty()).then(|| flags.join(" "))
}

/// A path of an image as a word of a command; `None` where it cannot be one.
pub(super) fn word(path: &[u8]) -> Option<String> {
    let path = std::str::from_utf8(path).ok()?;
    let is_plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-+:@%,=~".contains(&b));
    is_plain.then(|| format!("/{path}"))
}

/// An instruction in lines of one command each.
pub(super) fn wrapped(text: &str) -> String {
    text.replace(" && ", " \\\n && ") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_stand_behind_the_verb_of_each_command() {
        let line = Line::new(
            "apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y a && apt-get install b",
        );
        assert_eq!(
            line.flag(&["apt-get"], "install", "--no-install-recommends").unwrap(),
            "RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install \
             --no-install-recommends -y a && apt-get install --no-install-recommends b"
        );
        assert_eq!(line.flag(&["pip"], "install", "--no-cache-dir"), None);
        assert_eq!(Line::new("echo pip install").flag(&["pip"], "install", "-x"), None);
        assert!(Line::new("set -eux; apk add x").runs("apk"));
        assert!(!Line::new("echo npm").runs("npm"));
    }

    #[test]
    fn commands_are_put_behind_the_others() {
        let line = Line::new("apt-get update");
        let clean = "rm -rf /var/lib/apt/lists/*";
        let text = line.then(&["apt-get"], clean).unwrap();
        assert_eq!(text, format!("RUN apt-get update && {clean}"));
        assert_eq!(Line::new(&text).then(&["apt-get"], clean), None);
        assert_eq!(line.then(&["dnf"], "x"), None);
        assert_eq!(wrapped("RUN a && b"), "RUN a \\\n && b\n");
    }

    #[test]
    fn modes_and_owners_become_flags() {
        assert_eq!(
            copy_flags("chmod -R 0755 /app && chown -R a:b /app").unwrap(),
            "--chmod=0755 --chown=a:b"
        );
        assert_eq!(copy_flags("chmod +x /app"), None);
        assert_eq!(copy_flags("chmod 0755 /app && make"), None);
        assert_eq!(
            behind("COPY . /app", "COPY", "--chmod=0755").unwrap(),
            "COPY --chmod=0755 . /app"
        );
    }
}
