//! Maps of sparse files, in the four formats that GNU tar has written.

use tar::Header;

use crate::error::{Error, Result};
use crate::layer::index::SparseMap;
use crate::layer::input::Input;
use crate::layer::tar::pax::Pax;
use crate::layer::tar::{BLOCK, Member, TarReader};
use crate::limits::SPARSE_RUNS_MAX;

impl<I: Input> TarReader<I> {
    /// The old GNU format: four runs in the header, more in blocks behind it.
    pub(super) fn gnu_sparse(&mut self, member: &mut Member, header: &Header) -> Result<()> {
        let Some(gnu) = header.as_gnu() else {
            return Err(self.corrupt("a sparse entry is not in the GNU format"));
        };
        let bad = "the map of a sparse entry is malformed";
        let real = gnu.real_size().map_err(|_| self.corrupt(bad))?;
        let mut runs = Vec::new();
        let mut add = |entries: &[tar::GnuSparseHeader]| {
            for entry in entries.iter().filter(|entry| !entry.is_empty()) {
                runs.push((entry.offset().ok()?, entry.length().ok()?));
            }
            (runs.len() <= SPARSE_RUNS_MAX).then_some(())
        };
        add(&gnu.sparse).ok_or_else(|| Error::corrupt(&self.what, bad))?;
        let mut extended = gnu.is_extended();
        while extended {
            let mut block = tar::GnuExtSparseHeader::new();
            if !self.block(block.as_mut_bytes())? {
                return Err(self.truncated());
            }
            add(&block.sparse).ok_or_else(|| Error::corrupt(&self.what, bad))?;
            extended = block.is_extended();
        }
        member.offset = self.input.position();
        self.set_sparse(member, runs, real)
    }

    /// The formats 0.0, 0.1 (map in PAX records) and 1.0 (map before the data).
    pub(super) fn pax_sparse(&mut self, member: &mut Member, pax: Pax) -> Result<()> {
        let bad = "the map of a sparse entry is malformed";
        let mut numbers = pax.map;
        if pax.major == Some(1) {
            let mut map = Vec::new();
            let mut wanted = None;
            while wanted.is_none_or(|wanted| map.len() < wanted) {
                let mut block = [0; BLOCK];
                if self.content < BLOCK as u64 || !self.block(&mut block)? {
                    return Err(self.corrupt(bad));
                }
                self.content -= BLOCK as u64;
                numbers.extend_from_slice(&block);
                map = decimals(&numbers, b'\n', false).ok_or_else(|| self.corrupt(bad))?;
                if map.len() > 2 * SPARSE_RUNS_MAX + 1 {
                    return Err(self.corrupt(bad));
                }
                wanted = match map.first() {
                    Some(count) => Some(
                        usize::try_from(*count)
                            .ok()
                            .and_then(|count| count.checked_mul(2)?.checked_add(1))
                            .filter(|wanted| *wanted <= 2 * SPARSE_RUNS_MAX + 1)
                            .ok_or_else(|| self.corrupt(bad))?,
                    ),
                    None => None,
                };
            }
            map.truncate(wanted.unwrap_or(0));
            let runs = map[1..].chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
            let read = member.stored - self.content;
            member.offset += read;
            member.stored = self.content;
            return self.finish_pax_sparse(member, runs, &pax.name, pax.real_size);
        }
        let map = decimals(&numbers, b',', true).ok_or_else(|| self.corrupt(bad))?;
        if map.len() % 2 != 0 || map.len() > 2 * SPARSE_RUNS_MAX {
            return Err(self.corrupt(bad));
        }
        let runs = map.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        self.finish_pax_sparse(member, runs, &pax.name, pax.real_size)
    }

    fn finish_pax_sparse(
        &mut self,
        member: &mut Member,
        runs: Vec<(u64, u64)>,
        name: &[u8],
        size: Option<u64>,
    ) -> Result<()> {
        if !name.is_empty() {
            member.name = name.to_vec();
        }
        let Some(real) = size else {
            return Err(self.corrupt("a sparse entry does not say how large its file is"));
        };
        self.set_sparse(member, runs, real)
    }

    fn set_sparse(&self, member: &mut Member, runs: Vec<(u64, u64)>, real: u64) -> Result<()> {
        let mut end = 0;
        let mut data = 0_u64;
        for (offset, len) in &runs {
            let next = offset.checked_add(*len);
            match next {
                Some(next) if *offset >= end && next <= real => end = next,
                _ => return Err(self.corrupt("the map of a sparse entry overlaps or overruns")),
            }
            data += len;
        }
        if data != member.stored || real > i64::MAX.unsigned_abs() {
            return Err(self.corrupt(format!(
                "the map of a sparse entry has {data} bytes of data, the entry {}",
                member.stored
            )));
        }
        member.size = real;
        member.sparse = Some(SparseMap { runs });
        Ok(())
    }
}

/// Numbers that each end at `separator`; the last may lack it where `open` says so.
fn decimals(text: &[u8], separator: u8, open: bool) -> Option<Vec<u64>> {
    let mut numbers = Vec::new();
    let mut rest = text;
    loop {
        let (number, next) = match rest.iter().position(|b| *b == separator) {
            Some(at) => (&rest[..at], Some(&rest[at + 1..])),
            None if open && !rest.is_empty() => (rest, None),
            None => return Some(numbers),
        };
        // The padding behind a 1.0 map is zeros.
        if !open && number.first() == Some(&0) {
            return Some(numbers);
        }
        numbers.push(std::str::from_utf8(number).ok()?.parse().ok()?);
        match next {
            Some(next) => rest = next,
            None => return Some(numbers),
        }
    }
}
