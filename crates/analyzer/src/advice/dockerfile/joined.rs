//! An instruction without its continuations, and where its parts stand in the file.

/// An instruction's lines as one.
#[derive(Clone, Debug, Default)]
pub(super) struct Joined {
    /// The line.
    pub(super) text: String,
    /// Where its parts start: in the line, and in the file. A part of no length is not kept.
    parts: Vec<(usize, usize)>,
}

impl Joined {
    /// Adds a part that stands at `at` in the file.
    pub(super) fn push(&mut self, part: &str, at: usize) {
        if !part.is_empty() {
            self.parts.push((self.text.len(), at));
            self.text.push_str(part);
        }
    }

    /// Where in the file the byte at `offset` of the line stands.
    pub(super) fn place(&self, offset: usize) -> usize {
        self.in_part(self.parts.partition_point(|(own, _)| *own <= offset), offset)
    }

    /// Where in the file it is just behind the byte before `offset` of the line.
    pub(super) fn behind(&self, offset: usize) -> usize {
        self.in_part(self.parts.partition_point(|(own, _)| *own < offset), offset)
    }

    fn in_part(&self, parts: usize, offset: usize) -> usize {
        let part = self.parts.get(parts.saturating_sub(1));
        part.map_or(0, |(own, file)| file + offset.saturating_sub(*own))
    }

    /// The same from `offset` on.
    pub(super) fn from(&self, offset: usize) -> Self {
        let mut rest = Self::default();
        let ends = self.parts.iter().skip(1).map(|(own, _)| *own).chain([self.text.len()]);
        for ((own, file), end) in self.parts.iter().zip(ends) {
            let start = (*own).max(offset);
            if start < end {
                rest.push(&self.text[start..end], file + (start - own));
            }
        }
        rest
    }
}
