//! Maps of sparse files, in the four formats that GNU tar has written.

use tar::Header;

use crate::error::{Error, Result};
use crate::layer::index::SparseMap;
use crate::layer::input::Input;
use crate::layer::tar::pax::Pax;
use crate::layer::tar::{BLOCK, Member, TarReader};
use crate::limits::{SPARSE_MAP_MAX, SPARSE_RUNS_MAX};

const BAD: &str = "the map of a sparse entry is malformed";

impl<I: Input> TarReader<I> {
    /// The old GNU format: four runs in the header, more in blocks behind it.
    pub(super) fn gnu_sparse(&mut self, member: &mut Member, header: &Header) -> Result<()> {
        let Some(gnu) = header.as_gnu() else {
            return Err(self.corrupt("a sparse entry is not in the GNU format"));
        };
        let real = gnu.real_size().map_err(|_| self.corrupt(BAD))?;
        let mut runs = Vec::new();
        let mut add = |entries: &[tar::GnuSparseHeader]| {
            for entry in entries.iter().filter(|entry| !entry.is_empty()) {
                runs.push((entry.offset().ok()?, entry.length().ok()?));
            }
            (runs.len() <= SPARSE_RUNS_MAX).then_some(())
        };
        add(&gnu.sparse).ok_or_else(|| Error::corrupt(&self.what, BAD))?;
        let mut extended = gnu.is_extended();
        while extended {
            let mut block = tar::GnuExtSparseHeader::new();
            if !self.block(block.as_mut_bytes())? {
                return Err(self.truncated());
            }
            add(&block.sparse).ok_or_else(|| Error::corrupt(&self.what, BAD))?;
            extended = block.is_extended();
        }
        member.offset = self.input.position();
        self.set_sparse(member, runs, real)
    }

    /// The formats 0.0, 0.1 (map in PAX records) and 1.0 (map before the data).
    pub(super) fn pax_sparse(&mut self, member: &mut Member, pax: &Pax) -> Result<()> {
        let runs = if pax.major == Some(1) {
            let runs = self.map_before_data()?;
            member.offset += member.stored - self.content;
            member.stored = self.content;
            runs
        } else {
            map_in_records(&pax.map).ok_or_else(|| self.corrupt(BAD))?
        };
        self.finish_pax_sparse(member, runs, &pax.name, pax.real_size)
    }

    /// A count of runs, then offset and length of each: decimals, each on its line, padded to a
    /// block.
    fn map_before_data(&mut self) -> Result<Vec<(u64, u64)>> {
        let bad = || Error::corrupt(&self.what, BAD);
        let content = self.content;
        let (mut runs, mut wanted, mut offset, mut number) = (Vec::new(), None, None, None);
        while wanted.is_none_or(|wanted| runs.len() < wanted) {
            let mut block = [0; BLOCK];
            if self.content < BLOCK as u64
                || content - self.content >= SPARSE_MAP_MAX
                || self.input.read_full(&mut block).map_err(|e| Error::reading(&self.what, e))?
                    < BLOCK
            {
                return Err(bad());
            }
            self.content -= BLOCK as u64;
            for byte in block {
                if byte.is_ascii_digit() {
                    let digit = u64::from(byte - b'0');
                    let grown = number.unwrap_or(0_u64).checked_mul(10);
                    number = Some(grown.and_then(|n| n.checked_add(digit)).ok_or_else(bad)?);
                    continue;
                }
                let ended = number.take().filter(|_| byte == b'\n').ok_or_else(bad)?;
                match (wanted, offset.take()) {
                    (None, _) => {
                        let count = usize::try_from(ended).ok();
                        wanted = count.filter(|count| *count <= SPARSE_RUNS_MAX);
                        if wanted.is_none() {
                            return Err(bad());
                        }
                    }
                    (_, None) => offset = Some(ended),
                    (_, Some(offset)) => runs.push((offset, ended)),
                }
                if wanted == Some(runs.len()) {
                    break;
                }
            }
        }
        Ok(runs)
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

    fn set_sparse(&self, member: &mut Member, mut runs: Vec<(u64, u64)>, real: u64) -> Result<()> {
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
        // GNU tar marks the end of a file with a run of no bytes.
        runs.retain(|(_, len)| *len > 0);
        member.size = real;
        member.sparse = Some(SparseMap { runs });
        Ok(())
    }
}

/// Offset and length of each run, with commas in between.
fn map_in_records(text: &[u8]) -> Option<Vec<(u64, u64)>> {
    let mut numbers = text
        .split(|byte| *byte == b',')
        .map(|number| std::str::from_utf8(number).ok()?.parse::<u64>().ok());
    let mut runs = Vec::new();
    while let Some(offset) = numbers.next() {
        runs.push((offset?, numbers.next()??));
        if runs.len() > SPARSE_RUNS_MAX {
            return None;
        }
    }
    Some(runs)
}
