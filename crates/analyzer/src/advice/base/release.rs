//! `os-release(5)`: which distribution an image is of.

/// What the file says, as far as it is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OsRelease {
    /// `ID`: `debian`, `alpine`, `rhel`.
    pub id: String,
    /// `VERSION_ID`: `12`, `22.04`, `3.20.3`.
    pub version: String,
    /// `VERSION_CODENAME`: `bookworm`.
    pub codename: String,
    /// `PRETTY_NAME`.
    pub title: String,
}

impl OsRelease {
    /// Reads the file; `None` where it names no distribution.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut release = Self::default();
        for line in text.split(|b| *b == b'\n') {
            let Ok(line) = str::from_utf8(line) else { continue };
            let Some((key, value)) = line.trim().split_once('=') else { continue };
            let field = match key {
                "ID" => &mut release.id,
                "VERSION_ID" => &mut release.version,
                "VERSION_CODENAME" => &mut release.codename,
                "PRETTY_NAME" => &mut release.title,
                _ => continue,
            };
            *field = unquoted(value);
        }
        (!release.id.is_empty()).then_some(release)
    }

    /// The release as tables of images have it: `3.20` of Alpine's `3.20.3`, `9` of Red Hat's
    /// `9.4`. Wolfi's date is none.
    pub fn release(&self) -> String {
        let numbers = match self.id.as_str() {
            "alpine" => 2,
            "rhel" | "rocky" | "almalinux" | "centos" => 1,
            "wolfi" | "chainguard" => 0,
            _ => usize::MAX,
        };
        self.version.split('.').take(numbers).collect::<Vec<_>>().join(".")
    }
}

/// A value as a shell would read it.
fn unquoted(value: &str) -> String {
    let value = value.trim();
    let inner = ['"', '\''].iter().find_map(|quote| {
        let rest = value.strip_prefix(*quote)?;
        Some(rest.strip_suffix(*quote).unwrap_or(rest))
    });
    let mut text = String::new();
    let mut characters = inner.unwrap_or(value).chars();
    while let Some(character) = characters.next() {
        if character == '\\' {
            text.extend(characters.next());
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::OsRelease;

    #[test]
    fn the_distribution_is_read() {
        let debian = OsRelease::parse(
            b"PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n\
              VERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nID=debian\n",
        )
        .unwrap();
        assert_eq!((debian.id.as_str(), debian.release().as_str()), ("debian", "12"));
        assert_eq!(debian.codename, "bookworm");
        assert_eq!(debian.title, "Debian GNU/Linux 12 (bookworm)");
        let release = |text: &str| OsRelease::parse(text.as_bytes()).unwrap().release();
        assert_eq!(release("ID=alpine\nVERSION_ID=3.20.3"), "3.20");
        assert_eq!(release("ID='rhel'\r\nVERSION_ID='9.4'\r\n"), "9");
        assert_eq!(release("ID=ubuntu\nVERSION_ID=\"22.04\""), "22.04");
        assert_eq!(release("ID=wolfi\nVERSION_ID=20230201"), "");
    }

    #[test]
    fn odd_files_are_no_distribution_or_a_plain_one() {
        for odd in ["", "ID", "ID=", "ID=\"\"", "=x", "\n\n", "NAME=x"] {
            assert_eq!(OsRelease::parse(odd.as_bytes()), None, "{odd:?}");
        }
        assert_eq!(OsRelease::parse(b"\xff\nID=\"a\\\"b\n").unwrap().id, "a\"b");
    }
}
