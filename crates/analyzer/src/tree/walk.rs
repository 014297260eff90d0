//! The names of a path one by one, symlinks entered on the way, as a kernel walks it: `..` leads up
//! from where a link has led to, not from where it stands.

use crate::limits::{LINK_MAX, PATH_DEPTH_MAX, SYMLINKS_MAX};

/// Where the walk goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// To the root: a link's target is absolute.
    Root,
    /// To the directory above.
    Up,
    /// To the entry of this name.
    Down(&'a [u8]),
}

/// A path on its way.
pub(crate) struct Walk<'a> {
    /// What is still to be walked, the innermost link's target last.
    pending: Vec<&'a [u8]>,
    to_root: bool,
    links: usize,
    /// Names that links may still bring.
    names: usize,
}

impl<'a> Walk<'a> {
    /// A walk from the root.
    pub(crate) fn new(path: &'a [u8]) -> Self {
        Self { pending: vec![path], to_root: false, links: 0, names: PATH_DEPTH_MAX }
    }

    /// A walk that enters no link.
    pub(crate) fn exhausted(path: &'a [u8]) -> Self {
        Self { links: SYMLINKS_MAX, ..Self::new(path) }
    }

    /// What of the path itself is still to be walked, as long as no link was entered.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.pending.first().copied().unwrap_or_default()
    }

    /// Whether nothing is left.
    pub(crate) fn is_done(&self) -> bool {
        self.pending.is_empty()
    }

    /// Walks a link's target before the rest; false if that is one too many.
    pub(crate) fn enter(&mut self, target: &'a [u8]) -> bool {
        let names = target.split(|byte| *byte == b'/').count();
        if self.links == SYMLINKS_MAX
            || names > self.names
            || target.len() > LINK_MAX
            || target.contains(&0)
        {
            return false;
        }
        self.links += 1;
        self.names -= names;
        self.to_root = target.starts_with(b"/");
        self.pending.push(target);
        true
    }

    pub(crate) fn next(&mut self) -> Option<Step<'a>> {
        if std::mem::take(&mut self.to_root) {
            return Some(Step::Root);
        }
        while let Some(path) = self.pending.pop() {
            let slash = path.iter().position(|byte| *byte == b'/');
            let (name, rest) = match slash {
                Some(slash) => (&path[..slash], &path[slash + 1..]),
                None => (path, &[][..]),
            };
            if !rest.is_empty() {
                self.pending.push(rest);
            }
            match name {
                b"" | b"." => {}
                b".." => return Some(Step::Up),
                name => return Some(Step::Down(name)),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(walk: &mut Walk<'_>) -> String {
        let mut steps = Vec::new();
        while let Some(step) = walk.next() {
            steps.push(match step {
                Step::Root => "/".to_owned(),
                Step::Up => "..".to_owned(),
                Step::Down(name) => String::from_utf8(name.to_vec()).unwrap(),
            });
        }
        steps.join(" ")
    }

    #[test]
    fn targets_go_before_the_rest() {
        let mut walk = Walk::new(b"a/b/c");
        assert_eq!(walk.next(), Some(Step::Down(b"a")));
        assert_eq!(walk.rest(), b"b/c");
        assert!(walk.enter(b"/x/../y//./"));
        assert_eq!(steps(&mut walk), "/ x .. y b c");
        assert!(walk.is_done());
        assert_eq!(steps(&mut Walk::new(b"")), "");
    }

    #[test]
    fn links_are_counted() {
        let mut walk = Walk::new(b"");
        assert!(!walk.enter(&[b'x'; LINK_MAX + 1]));
        assert!(!walk.enter(b"x\0"));
        assert!((0..SYMLINKS_MAX).all(|_| walk.enter(b"x")));
        assert!(!walk.enter(b"x"));
        assert!(!Walk::exhausted(b"a").enter(b"x"));
        assert!(!Walk::new(b"").enter(&[b'/'; PATH_DEPTH_MAX]));
    }
}
