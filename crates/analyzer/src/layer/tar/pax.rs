//! PAX extended headers: records that take precedence over the fields of the next header.

use std::collections::HashSet;
use std::str::FromStr;

use crate::layer::tar::Member;
use crate::limits::XATTRS_MAX;

/// What PAX records say beyond what goes straight into the member.
#[derive(Default)]
pub(super) struct Pax {
    pub(super) uid: Option<i64>,
    pub(super) gid: Option<i64>,
    pub(super) major: Option<u64>,
    pub(super) real_size: Option<u64>,
    pub(super) name: Vec<u8>,
    pub(super) map: Vec<u8>,
}

impl Pax {
    pub(super) fn is_sparse(&self) -> bool {
        self.major == Some(1) || !self.map.is_empty()
    }

    pub(super) fn apply(&mut self, records: &[u8], member: &mut Member) -> Result<(), String> {
        let mut rest = records;
        while !rest.is_empty() {
            let (key, value, next) = pax_record(rest).ok_or("its PAX records are malformed")?;
            rest = next;
            // An empty value takes the record back: the header's own field holds.
            if value.is_empty() && !key.starts_with(b"SCHILY.xattr.") {
                continue;
            }
            match key {
                b"path" => member.name = value.to_vec(),
                b"linkpath" => member.link = value.to_vec(),
                b"size" => member.size = number(key, value)?,
                b"uid" => self.uid = Some(number(key, value)?),
                b"gid" => self.gid = Some(number(key, value)?),
                b"mtime" => {
                    member.mtime = pax_time(value).ok_or("its PAX time is malformed")?;
                }
                b"GNU.sparse.major" => self.major = Some(number(key, value)?),
                b"GNU.sparse.name" => self.name = value.to_vec(),
                b"GNU.sparse.size" | b"GNU.sparse.realsize" => {
                    self.real_size = Some(number(key, value)?);
                }
                b"GNU.sparse.map" => self.map = value.to_vec(),
                // Format 0.0 writes each number as a record of its own.
                b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                    if !self.map.is_empty() {
                        self.map.push(b',');
                    }
                    self.map.extend_from_slice(value);
                }
                key => {
                    if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                        if member.xattrs.len() == XATTRS_MAX {
                            return Err(format!("it has more than {XATTRS_MAX} PAX attributes"));
                        }
                        member.xattrs.push((name.to_vec(), value.to_vec()));
                    }
                }
            }
        }
        keep_last(&mut member.xattrs);
        Ok(())
    }
}

/// Of attributes with the same name, the last one holds.
fn keep_last(xattrs: &mut Vec<(Vec<u8>, Vec<u8>)>) {
    if xattrs.len() < 2 {
        return;
    }
    let mut seen = HashSet::new();
    let mut last: Vec<bool> = xattrs.iter().rev().map(|(name, _)| seen.insert(&name[..])).collect();
    xattrs.retain(|_| last.pop() == Some(true));
}

fn number<N: FromStr>(key: &[u8], value: &[u8]) -> Result<N, String> {
    std::str::from_utf8(value)
        .ok()
        .and_then(|value| value.parse().ok())
        .ok_or_else(|| format!("its PAX record {} is not a number", key.escape_ascii()))
}

/// `"LEN KEY=VALUE\n"` at the front of `records`, and what follows it.
fn pax_record(records: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = records.iter().take(20).position(|b| *b == b' ')?;
    let len: usize = std::str::from_utf8(&records[..space]).ok()?.parse().ok()?;
    if len > records.len() || len < space + 3 || records[len - 1] != b'\n' {
        return None;
    }
    let record = &records[space + 1..len - 1];
    let equals = record.iter().position(|b| *b == b'=')?;
    Some((&record[..equals], &record[equals + 1..], &records[len..]))
}

/// Decimal seconds with an optional fraction, as Go reads them.
fn pax_time(value: &[u8]) -> Option<(i64, u32)> {
    let text = std::str::from_utf8(value).ok()?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = seconds.parse().ok()?;
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanos: u32 = digits.parse().ok()?;
    if text.starts_with('-') && nanos > 0 {
        return Some((seconds - 1, 1_000_000_000 - nanos));
    }
    Some((seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_each_attribute_holds() {
        let apply = |names: &mut dyn Iterator<Item = String>| {
            let mut records = Vec::new();
            for (at, name) in names.enumerate() {
                let record = format!(" SCHILY.xattr.{name}={at:05}\n");
                records.extend(format!("{}{record}", record.len() + 2).bytes());
            }
            let mut member = Member::default();
            Pax::default().apply(&records, &mut member).map(|()| member.xattrs)
        };
        let read = apply(&mut ["a", "b", "c", "a", "b"].map(String::from).into_iter()).unwrap();
        let expected = [("c", "00002"), ("a", "00003"), ("b", "00004")]
            .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        assert_eq!(read, expected);
        let many = |count| apply(&mut (0..count).map(|number| format!("user.{number}")));
        assert_eq!(many(XATTRS_MAX).unwrap().len(), XATTRS_MAX);
        assert!(many(XATTRS_MAX + 1).unwrap_err().contains("10000 PAX attributes"));
    }

    #[test]
    fn pax_records_are_strict() {
        assert_eq!(pax_record(b"9 path=a\nx"), Some((&b"path"[..], &b"a"[..], &b"x"[..])));
        for bad in [&b"9 path=a"[..], b"99 path=a\n", b"x path=a\n", b"5 p=\n", b"", b"9 pathxa\n"]
        {
            let read = pax_record(bad);
            assert!(read.is_none() || bad == b"5 p=\n", "{}", bad.escape_ascii());
        }
        assert_eq!(pax_time(b"1.5"), Some((1, 500_000_000)));
        assert_eq!(pax_time(b"-1.25"), Some((-2, 750_000_000)));
        assert_eq!(pax_time(b"1.x"), None);
    }
}
