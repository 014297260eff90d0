//! What compilers leave in a program of what it was built from.

use std::collections::BTreeSet;
use std::ops::Range;

use memchr::memmem;
use serde::{Deserialize, Serialize};

/// Modules of one program.
const MODULES_MAX: usize = 10_000;

/// What Go's linker notes (`go version -m`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoBuild {
    /// `go1.22.1`.
    pub version: Box<str>,
    /// The main package's path.
    pub path: Box<str>,
    /// Modules, `path version`, the main one first.
    pub modules: Vec<Box<str>>,
}

const GO_MAGIC: &[u8] = b"\xff Go buildinf:";
/// Marks around the module information (`runtime/debug`).
const GO_MARK: usize = 16;

/// Reads Go's build information, in the form of Go 1.18 and later: texts with their lengths
/// behind a header of 32 bytes. Older programs keep pointers there and are named without modules.
pub(super) fn go(bytes: &[u8]) -> Option<GoBuild> {
    let at = go_mark(bytes)?;
    let header = bytes.get(at..at + 32)?;
    // The size of a pointer, and flags: programs that look for the mark have it in their data too.
    if !matches!(header[14], 4 | 8) || header[15] > 3 {
        return None;
    }
    if header[15] & 2 == 0 {
        return Some(GoBuild::default());
    }
    let mut rest = &bytes[at + 32..];
    let version = text(&mut rest)?;
    let modules = text(&mut rest).unwrap_or_default();
    let modules = modules.get(GO_MARK..modules.len().saturating_sub(GO_MARK)).unwrap_or_default();
    let mut build = GoBuild { version: lossy(version), ..GoBuild::default() };
    for line in modules.split(|b| *b == b'\n').take(MODULES_MAX) {
        let fields: Vec<&[u8]> = line.split(|b| *b == b'\t').collect();
        match fields[..] {
            [b"path", path] => build.path = lossy(path),
            [b"mod" | b"dep", path, version, ..] => {
                build.modules.push(format!("{} {}", lossy(path), lossy(version)).into());
            }
            _ => {}
        }
    }
    Some(build)
}

/// A text behind its length as a varint.
fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (mut length, mut shift) = (0_u64, 0);
    loop {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        length |= u64::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
        if shift > 56 {
            return None;
        }
    }
    let (text, tail) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = tail;
    Some(text)
}

fn lossy(bytes: &[u8]) -> Box<str> {
    String::from_utf8_lossy(bytes).into()
}

/// Where Go's notes start, if they are here.
pub(super) fn go_mark(bytes: &[u8]) -> Option<usize> {
    memmem::find(bytes, GO_MAGIC)
}

/// Crates whose sources the texts of panics name: `…/registry/src/HOST/NAME-VERSION/src/…`. Adds those
/// whose mark starts in `within`; `bytes` are what stands around it.
pub(super) fn crates(bytes: &[u8], within: Range<usize>, found: &mut BTreeSet<Box<str>>) {
    for at in memmem::find_iter(&bytes[within.start..], b"/registry/src/") {
        let at = within.start + at;
        if at >= within.end {
            break;
        }
        let rest = &bytes[at + 14..bytes.len().min(at + 14 + 256)];
        let mut components = rest.split(|b| *b == b'/');
        let (Some(_), Some(name)) = (components.next(), components.next()) else { continue };
        let is_name = name.contains(&b'-')
            && name.iter().all(|b| b.is_ascii_alphanumeric() || b"_-.+".contains(b));
        if is_name && components.next().is_some() && found.len() < MODULES_MAX {
            found.insert(lossy(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_notes_its_modules() {
        let mut bytes = b"before\0\0".to_vec();
        bytes.extend(GO_MAGIC);
        bytes.extend([8, 2]);
        bytes.extend([0; 16]);
        let modules = "0123456789abcdefpath\tex.test/app\nmod\tex.test/app\t(devel)\t\n\
                       dep\tex.test/lib\tv1.2.3\th1:x=\n0123456789abcdef";
        for text in ["go1.22.1", modules] {
            bytes.push(
                u8::try_from(text.len() & 0x7f).unwrap() | if text.len() > 127 { 0x80 } else { 0 },
            );
            if text.len() > 127 {
                bytes.push(u8::try_from(text.len() >> 7).unwrap());
            }
            bytes.extend(text.as_bytes());
        }
        let build = go(&bytes).unwrap();
        assert_eq!((&*build.version, &*build.path), ("go1.22.1", "ex.test/app"));
        assert_eq!(build.modules, ["ex.test/app (devel)".into(), "ex.test/lib v1.2.3".into()]);
        for end in 0..bytes.len() {
            let _ = go(&bytes[..end]);
        }
    }

    #[test]
    fn panics_name_crates() {
        let data = b"x/root/.cargo/registry/src/index-1/serde-1.0.2/src/lib.rsyy/registry/src/a\0";
        let mut found = BTreeSet::new();
        crates(data, 0..data.len(), &mut found);
        assert_eq!(found, [Box::from("serde-1.0.2")].into());
    }
}
