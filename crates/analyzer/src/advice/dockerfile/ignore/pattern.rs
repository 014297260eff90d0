//! One pattern of a `.dockerignore`. `globset` reads `**` only where it is a whole component;
//! moby takes it anywhere, so that the matcher is our own.

/// A pattern.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// It brings back what others leave out: `!`.
    pub(super) is_exception: bool,
    parts: Vec<Part>,
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// A character.
    One(char),
    /// `?`: any character but `/`.
    Any,
    /// `*`: any number of those.
    Name,
    /// `**` at the end, or at the start of `**x`: anything.
    All,
    /// `**` before more: the next part, or nothing of it.
    Maybe,
    /// Anything that ends with `/`.
    Directories,
    /// `[a-z]`, or `[^a-z]`.
    Class(bool, Vec<(char, char)>),
}

impl Pattern {
    /// The pattern of a line; `None` where it has none.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        let (is_exception, line) = match line.strip_prefix('!') {
            Some(line) => (true, line.trim()),
            None => (false, line),
        };
        let path = clean(line);
        if path.is_empty() {
            return None;
        }
        Some(Self { is_exception, parts: parts(&path)? })
    }

    /// Whether it matches a path or a directory above it.
    pub(super) fn matches_or_above(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        ends.into_iter().any(|end| self.matches(&path[..end]))
    }

    /// Goes over the path once, with all parts that may come next.
    fn matches(&self, path: &str) -> bool {
        let mut places = vec![false; self.parts.len() + 1];
        places[0] = true;
        self.pass(&mut places);
        for character in path.chars() {
            let mut next = vec![false; places.len()];
            for (at, part) in self.parts.iter().enumerate().filter(|(at, _)| places[*at]) {
                match part {
                    Part::Name => next[at] |= character != '/',
                    Part::All => next[at] = true,
                    Part::Directories => {
                        next[at] = true;
                        next[at + 1] |= character == '/';
                    }
                    Part::Maybe => {}
                    Part::One(own) => next[at + 1] |= *own == character,
                    Part::Any => next[at + 1] |= character != '/',
                    Part::Class(negated, ranges) => {
                        let is_in =
                            ranges.iter().any(|(low, high)| (*low..=*high).contains(&character));
                        next[at + 1] |= is_in != *negated;
                    }
                }
            }
            self.pass(&mut next);
            places = next;
        }
        places.last().copied().unwrap_or(false)
    }

    /// Passes by what may be nothing.
    fn pass(&self, places: &mut [bool]) {
        for (at, part) in self.parts.iter().enumerate().filter(|(at, _)| *at < self.parts.len()) {
            if !places[at] {
                continue;
            }
            match part {
                Part::Name | Part::All => places[at + 1] = true,
                Part::Maybe => {
                    places[at + 1] = true;
                    places[at + 2] = true;
                }
                _ => {}
            }
        }
    }
}

/// As Go's `filepath.Clean` has it, without a `/` at the start.
fn clean(path: &str) -> String {
    let mut components: Vec<&str> = Vec::new();
    for component in path.split('/').filter(|component| !component.is_empty() && *component != ".")
    {
        match component {
            ".." if components.last().is_some_and(|last| *last != "..") => {
                components.pop();
            }
            ".." if path.starts_with('/') => {}
            component => components.push(component),
        }
    }
    components.join("/")
}

/// The parts of a pattern; `None` where it is none.
fn parts(pattern: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '*' if rest.next_if_eq(&'*').is_some() => {
                let is_start = parts.is_empty();
                let is_directory = rest.next_if_eq(&'/').is_some();
                match rest.peek() {
                    None => parts.push(Part::All),
                    // moby only compares the end where a pattern is `**` and plain text.
                    Some(_) if is_start && !is_directory && is_plain(&pattern[2..]) => {
                        parts.push(Part::All);
                    }
                    Some(_) => parts.extend([Part::Maybe, Part::Directories]),
                }
            }
            '*' => parts.push(Part::Name),
            '?' => parts.push(Part::Any),
            '\\' => parts.push(Part::One(rest.next()?)),
            '[' => {
                let negated = rest.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                loop {
                    let low = match rest.next()? {
                        ']' if !ranges.is_empty() => break,
                        '\\' => rest.next()?,
                        low => low,
                    };
                    let mut high = low;
                    if rest.next_if_eq(&'-').is_some() {
                        high = match rest.next()? {
                            ']' => return None,
                            '\\' => rest.next()?,
                            high => high,
                        };
                    }
                    ranges.push((low, high));
                }
                parts.push(Part::Class(negated, ranges));
            }
            character => parts.push(Part::One(character)),
        }
    }
    Some(parts)
}

fn is_plain(text: &str) -> bool {
    !text.contains(['*', '?', '[', ']'])
}
