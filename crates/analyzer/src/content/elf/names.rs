//! Names in the data of an ELF file: shared objects that it may open, paths that it may read, the
//! symbol versions that it needs.

use std::collections::BTreeSet;
use std::ops::Range;

use memchr::memmem;

/// Different names of one kind kept of one file.
const NAMES_MAX: usize = 4_000;
/// The longest name of a shared object, and the longest path.
const NAME_MAX: usize = 255;

/// Names found in data.
#[derive(Default)]
pub(super) struct Found {
    pub(super) sonames: BTreeSet<Box<[u8]>>,
    pub(super) paths: BTreeSet<Box<[u8]>>,
    pub(super) commands: BTreeSet<Box<[u8]>>,
}

impl Found {
    /// Looks at what starts in `within`; `bytes` are what stands around it.
    pub(super) fn look_at(&mut self, bytes: &[u8], within: Range<usize>) {
        for at in starting(bytes, within.clone(), b".so") {
            if self.sonames.len() < NAMES_MAX
                && let Some(name) = soname(bytes, at)
            {
                self.sonames.insert(name.into());
            }
        }
        // A text that starts with a slash follows the end of another one, or is the first.
        let first = (within.start == 0 && bytes.first() == Some(&b'/')).then_some(0);
        for start in first.into_iter().chain(starting(bytes, within, b"\0/").map(|at| at + 1)) {
            let rest = &bytes[start..bytes.len().min(start + NAME_MAX + 1)];
            let end = memchr::memchr(0, rest).unwrap_or(0);
            let text = &rest[..end];
            if end > 2 && self.paths.len() < NAMES_MAX && text.iter().all(u8::is_ascii_graphic) {
                self.paths.insert(text.into());
            }
        }
    }
}

/// Where a text starts in `within`.
fn starting<'a>(
    bytes: &'a [u8],
    within: Range<usize>,
    text: &'static [u8],
) -> impl Iterator<Item = usize> + 'a {
    let found = memmem::find_iter(&bytes[within.start..], text);
    found.map(move |at| within.start + at).take_while(move |at| *at < within.end)
}

impl Found {
    /// Looks for command lines for a shell that start in `within`.
    pub(super) fn look_for_commands(&mut self, bytes: &[u8], within: Range<usize>) {
        for at in starting(bytes, within, b" -") {
            if self.commands.len() < NAMES_MAX
                && let Some(word) = command(bytes, at)
            {
                self.commands.insert(word.into());
            }
        }
    }
}

/// The program that a text names which has an option behind the space at `at`: `locale -a`,
/// `/usr/bin/gzip -dc %s`.
fn command(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let option = bytes[at + 2..].iter().find(|b| **b != b'-')?;
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || b"_+-./".contains(b);
    let length = bytes[..at].iter().rev().take(NAME_MAX).take_while(|b| is_part(b)).count();
    let start = at - length;
    let is_whole = start.checked_sub(1).is_some_and(|before| bytes[before] == 0);
    (length > 0 && is_whole && option.is_ascii_alphabetic()).then(|| &bytes[start..at])
}

/// The name around `.so` at `at`: `libx.so`, `libx.so.1.2`, ended by a NUL.
fn soname(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || b"_+-.".contains(b);
    let behind = &bytes[at + 3..];
    let version =
        behind.iter().take(NAME_MAX).take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    if behind.get(version) != Some(&0) {
        return None;
    }
    let front = bytes[..at].iter().rev().take(NAME_MAX).take_while(|b| is_part(b)).count();
    (front > 0).then(|| &bytes[at - front..at + 3 + version])
}

/// What a table of dynamic strings tells of symbols.
#[derive(Default)]
pub(super) struct Symbols {
    pub(super) calls_dlopen: bool,
    pub(super) calls_iconv: bool,
    pub(super) calls_shell: bool,
    /// Of each family of versions the newest.
    newest: [Option<Version>; FAMILIES.len()],
}

/// The numbers of a symbol version, and the whole of it.
type Version = (Vec<u32>, Box<[u8]>);

const FAMILIES: [&[u8]; 4] = [b"\0GLIBC_2.", b"\0GLIBCXX_3.", b"\0CXXABI_1.", b"\0GCC_"];
/// The longest symbol version of these families.
const VERSION_MAX: usize = 64;

impl Symbols {
    /// Looks at names that start in `within`; `bytes` are what stands around it in the table.
    pub(super) fn look_at(&mut self, bytes: &[u8], within: Range<usize>) {
        let starting = |needle: &'static [u8]| {
            let end = bytes.len().min(within.end + needle.len() - 1);
            memmem::find_iter(&bytes[within.start..end], needle).map(|at| within.start + at)
        };
        let has = |name| starting(name).next().is_some();
        self.calls_dlopen = self.calls_dlopen || has(b"\0dlopen\0") || has(b"\0dlmopen\0");
        self.calls_iconv = self.calls_iconv || has(b"\0iconv_open\0");
        self.calls_shell = self.calls_shell || has(b"\0popen\0") || has(b"\0system\0");
        for (family, newest) in FAMILIES.iter().zip(&mut self.newest) {
            for at in starting(family) {
                if let Some(version) = version(&bytes[at + 1..])
                    && newest.as_ref().is_none_or(|(numbers, _)| *numbers <= version.0)
                {
                    *newest = Some(version);
                }
            }
        }
    }

    /// The newest of each family.
    pub(super) fn versions(self) -> Vec<Box<[u8]>> {
        self.newest.into_iter().flatten().map(|(_, text)| text).collect()
    }
}

/// The version that a text starts with, and its numbers.
fn version(text: &[u8]) -> Option<Version> {
    let end = memchr::memchr(0, &text[..text.len().min(VERSION_MAX)])?;
    let text = &text[..end];
    let digits = text.iter().position(|b| *b == b'_')? + 1;
    let numbers: Option<Vec<u32>> =
        str::from_utf8(&text[digits..]).ok()?.split('.').map(|part| part.parse().ok()).collect();
    Some((numbers?, text.into()))
}

/// The rows of a `.note.dlopen`: JSON, `[{"soname":["libx.so.1","libx.so.0"],"priority":…}]`.
pub(super) fn dlopen_note(description: &[u8]) -> Vec<Vec<Box<str>>> {
    let text = description.split(|b| *b == 0).next().unwrap_or_default();
    let Ok(serde_json::Value::Array(rows)) = serde_json::from_slice(text) else {
        return Vec::new();
    };
    rows.iter()
        .take(NAMES_MAX)
        .filter_map(|row| {
            let names = row.get("soname")?.as_array()?.iter().filter_map(|name| name.as_str());
            let names: Vec<Box<str>> = names.take(NAME_MAX).map(Box::from).collect();
            (!names.is_empty()).then_some(names)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_data() {
        let mut found = Found::default();
        let data =
            b"\0libssl.so.3\0x/plugin.so\0.so\0lib.sox\0/etc/app.conf\0/\0/a b\0/usr/share/x";
        found.look_at(data, 0..data.len());
        let names = |set: &BTreeSet<Box<[u8]>>| {
            set.iter().map(|n| String::from_utf8(n.to_vec()).unwrap()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&found.sonames), "libssl.so.3 plugin.so");
        assert_eq!(names(&found.paths), "/etc/app.conf");
        found.look_at(b"/usr/lib/first\0", 0..15);
        assert_eq!(names(&found.paths), "/etc/app.conf /usr/lib/first");
    }

    #[test]
    fn programs_of_command_lines_are_found() {
        let data = b"x\0locale -a\0/usr/bin/gzip -dc %s\0grep --color x\0usage: ls -l\0test - it\0cat %s\0a -";
        let all = ["/usr/bin/gzip", "grep", "locale"].map(|word| Box::from(word.as_bytes()));
        // Wherever the windows end.
        for middle in 0..data.len() {
            let mut found = Found::default();
            found.look_for_commands(data, 0..middle);
            found.look_for_commands(data, middle..data.len());
            assert!(found.commands.iter().eq(&all), "{middle} {:?}", found.commands);
        }
    }

    #[test]
    fn the_newest_version_of_each_family_is_needed() {
        let table = b"\0GLIBC_2.4\0GLIBC_2.34\0dlopen\0GLIBC_2.9\0GLIBCXX_3.4.30\0GLIBC_PRIVATE\0x";
        // Wherever the windows end.
        for middle in 0..table.len() {
            let mut symbols = Symbols::default();
            symbols.look_at(table, 0..middle);
            symbols.look_at(table, middle..table.len());
            assert!(symbols.calls_dlopen && !symbols.calls_iconv, "{middle}");
            let newest = [Box::from(&b"GLIBC_2.34"[..]), Box::from(&b"GLIBCXX_3.4.30"[..])];
            assert_eq!(symbols.versions(), newest, "{middle}");
        }
    }

    #[test]
    fn dlopen_notes_are_json() {
        let rows = dlopen_note(br#"[{"feature":"x","soname":["liba.so.1","liba.so.0"]},{"y":1}]"#);
        assert_eq!(rows, [vec![Box::from("liba.so.1"), Box::from("liba.so.0")]]);
        assert_eq!(dlopen_note(b"{"), Vec::<Vec<Box<str>>>::new());
    }
}
