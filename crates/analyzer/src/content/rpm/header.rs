//! rpm's headers: an index of tags, and behind it their data, all in big endian
//! (<https://rpm.org/docs/4.20.x/manual/format_header.html>). In a database a header stands without
//! the magic that packages have before it.

use crate::content::rpm::RpmPackage;

/// Tags of one header; rpm itself takes no more.
const TAGS_MAX: usize = 65_535;
const TAG_SIZE: usize = 16;

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const SIZE: u32 = 1009;
/// Whole paths: in headers of before rpm 4.0.
const OLD_FILE_NAMES: u32 = 1027;
const FILE_STATES: u32 = 1029;
const PROVIDES: u32 = 1047;
const REQUIRES: u32 = 1049;
const DIRECTORY_INDEXES: u32 = 1116;
const BASE_NAMES: u32 = 1117;
const DIRECTORY_NAMES: u32 = 1118;
const LONG_SIZE: u32 = 5009;
const RECOMMENDS: u32 = 5046;
const SUGGESTS: u32 = 5049;

const INT32: u32 = 4;
const INT64: u32 = 5;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const TRANSLATED: u32 = 9;

/// `RPMFILE_STATE_NORMAL` and the states of files that are there all the same; the others were
/// replaced by another package's, or left out.
const STATE_NORMAL: u8 = 0;
const STATE_NET_SHARED: u8 = 3;

/// The package that a header of a database describes; `None` where it is damaged.
pub fn header(bytes: &[u8]) -> Option<RpmPackage> {
    let tags = Tags::new(bytes)?;
    let name = tags.text(NAME)?;
    let mut version = format!(
        "{}-{}",
        tags.text(VERSION).unwrap_or_default(),
        tags.text(RELEASE).unwrap_or_default()
    );
    if let Some(epoch) = tags.number(EPOCH) {
        version = format!("{epoch}:{version}");
    }
    let mut package = RpmPackage {
        name: name.into(),
        version: version.into(),
        size: tags.number(LONG_SIZE).or_else(|| tags.number(SIZE)),
        directories: tags.strings(DIRECTORY_NAMES).map(Box::from).collect(),
        requires: tags.texts(REQUIRES),
        recommends: [tags.texts(RECOMMENDS), tags.texts(SUGGESTS)].concat(),
        provides: tags.texts(PROVIDES),
        ..RpmPackage::default()
    };
    let states = tags.data(FILE_STATES).map_or(&[][..], |(_, count, data)| {
        &data[..data.len().min(usize::try_from(count).unwrap_or(usize::MAX))]
    });
    let is_there = |at: usize| {
        states.get(at).is_none_or(|state| matches!(*state, STATE_NORMAL | STATE_NET_SHARED))
    };
    let directories = u32::try_from(package.directories.len()).ok()?;
    let indexes = tags.numbers(DIRECTORY_INDEXES);
    for (at, (directory, name)) in indexes.zip(tags.strings(BASE_NAMES)).enumerate() {
        if directory < directories && is_there(at) {
            package.files.push((directory, name.into()));
        }
    }
    if package.files.is_empty() {
        for path in tags.strings(OLD_FILE_NAMES) {
            let end = path.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1);
            let (directory, name) = path.split_at(end);
            if package.directories.last().is_none_or(|last| **last != *directory) {
                package.directories.push(directory.into());
            }
            let at = u32::try_from(package.directories.len() - 1).ok()?;
            package.files.push((at, name.into()));
        }
    }
    Some(package)
}

/// The index of a header, and its data.
struct Tags<'a> {
    index: &'a [u8],
    data: &'a [u8],
}

impl<'a> Tags<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        let tags = usize::try_from(u32_at(bytes, 0)?).ok().filter(|tags| *tags <= TAGS_MAX)?;
        let length = usize::try_from(u32_at(bytes, 4)?).ok()?;
        let (index, rest) = bytes[8..].split_at_checked(tags * TAG_SIZE)?;
        Some(Self { index, data: rest.get(..length)? })
    }

    /// The type and count of a tag, and the data from its first byte on.
    fn data(&self, wanted: u32) -> Option<(u32, u32, &'a [u8])> {
        self.index.chunks_exact(TAG_SIZE).find_map(|row| {
            let field = |at: usize| u32_at(row, at);
            let found = field(0)? == wanted;
            let offset = usize::try_from(field(8)?).ok()?;
            found.then(|| Some((field(4)?, field(12)?, self.data.get(offset..)?)))?
        })
    }

    fn strings(&self, tag: u32) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (count, mut rest) = match self.data(tag) {
            Some((STRING, _, data)) => (1, data),
            Some((STRING_ARRAY | TRANSLATED, count, data)) => (count, data),
            _ => (0, &[][..]),
        };
        (0..count).map_while(move |_| {
            let end = memchr::memchr(0, rest)?;
            let text = &rest[..end];
            rest = &rest[end + 1..];
            Some(text)
        })
    }

    fn text(&self, tag: u32) -> Option<String> {
        self.strings(tag).next().map(|text| String::from_utf8_lossy(text).into_owned())
    }

    fn texts(&self, tag: u32) -> Vec<Box<str>> {
        self.strings(tag).map(|text| String::from_utf8_lossy(text).into()).collect()
    }

    fn numbers(&self, tag: u32) -> impl Iterator<Item = u32> + use<'a> {
        let (count, data) = match self.data(tag) {
            Some((INT32, count, data)) => (count, data),
            _ => (0, &[][..]),
        };
        data.chunks_exact(4)
            .take(usize::try_from(count).unwrap_or(usize::MAX))
            .filter_map(|number| u32_at(number, 0))
    }

    fn number(&self, tag: u32) -> Option<u64> {
        match self.data(tag)? {
            (INT32, 1.., data) => u32_at(data, 0).map(u64::from),
            (INT64, 1.., data) => Some(u64::from_be_bytes(data.get(..8)?.try_into().ok()?)),
            _ => None,
        }
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}
