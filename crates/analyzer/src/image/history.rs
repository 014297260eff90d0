//! Which instruction made which layer.
//!
//! The history has a row an instruction, and marks those that made no layer with `empty_layer`.
//! Builders forget the mark, squash layers, or add layers without a row; then the rows are told
//! by what their instructions can do, and where even that leaves a difference, both lists are
//! matched from the bottom, because layers are only ever added on top.

use crate::image::config::HistoryEntry;

/// The instruction that made a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// As the history has it.
    pub created_by: String,
}

impl Instruction {
    /// The instruction as a Dockerfile would have it: `RUN apt-get update`, `COPY . /app`.
    pub fn text(&self) -> String {
        normalise(&self.created_by)
    }

    /// Its first word in capitals: `RUN`, `COPY`; `None` where it is not a Dockerfile's.
    pub fn keyword(&self) -> Option<String> {
        let text = self.text();
        let word = text.split_whitespace().next()?;
        word.bytes().all(|b| b.is_ascii_uppercase()).then(|| word.to_owned())
    }
}

/// The instruction of each of `layers` layers; the second value is false where the lists could
/// not be matched one to one.
pub fn align(history: &[HistoryEntry], layers: usize) -> (Vec<Option<Instruction>>, bool) {
    let kept = |keep: &dyn Fn(&HistoryEntry) -> bool| -> Vec<&HistoryEntry> {
        history.iter().filter(|row| keep(row)).collect()
    };
    let mut attempts = vec![kept(&|row| !row.empty_layer)];
    // The mark is missing altogether.
    if !history.iter().any(|row| row.empty_layer) {
        attempts.push(kept(&|row| !never_makes_a_layer(&row.created_by)));
        attempts.push(kept(&|row| {
            !never_makes_a_layer(&row.created_by) && keyword_of(&row.created_by) != "WORKDIR"
        }));
    }
    // The mark stands where it should not (BuildKit wrote such for empty RUN layers).
    attempts.push(kept(&|row| !row.empty_layer || !never_makes_a_layer(&row.created_by)));
    attempts.push(kept(&|row| !never_makes_a_layer(&row.created_by)));
    let matched = attempts.iter().find(|rows| rows.len() == layers);
    let rows = matched.unwrap_or(&attempts[0]);
    let instruction = |layer: usize| {
        let created_by = &rows.get(layer)?.created_by;
        (!created_by.is_empty()).then(|| Instruction { created_by: created_by.clone() })
    };
    ((0..layers).map(instruction).collect(), matched.is_some() || (history.is_empty()))
}

/// Instructions that only change the config.
fn never_makes_a_layer(created_by: &str) -> bool {
    matches!(
        keyword_of(created_by).as_str(),
        "ARG"
            | "CMD"
            | "ENTRYPOINT"
            | "ENV"
            | "EXPOSE"
            | "HEALTHCHECK"
            | "LABEL"
            | "MAINTAINER"
            | "ONBUILD"
            | "SHELL"
            | "STOPSIGNAL"
            | "USER"
            | "VOLUME"
    )
}

fn keyword_of(created_by: &str) -> String {
    normalise(created_by).split_whitespace().next().unwrap_or_default().to_owned()
}

/// Folds the builders' ways of writing an instruction into the Dockerfile's.
fn normalise(created_by: &str) -> String {
    let text = created_by.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.strip_suffix("# buildkit").unwrap_or(&text).trim_end();
    // `|2 A=1 B=2 /bin/sh -c …`: build arguments before the command.
    let text = match text.strip_prefix('|') {
        Some(_) => text.find("/bin/sh -c").map_or(text, |at| &text[at..]),
        None => text,
    };
    if let Some(instruction) = text.strip_prefix("/bin/sh -c #(nop)") {
        return instruction.trim().to_owned();
    }
    for shell in ["/bin/sh -c ", "/bin/bash -c ", "/bin/bash -o pipefail -c "] {
        if let Some(command) = text.strip_prefix(shell) {
            return format!("RUN {command}");
        }
        let run = format!("RUN {shell}");
        if let Some(command) = text.strip_prefix(&run) {
            return format!("RUN {command}");
        }
    }
    if let Some(rest) = text.strip_prefix("RUN |") {
        return match rest.find("/bin/sh -c ") {
            Some(at) => format!("RUN {}", &rest[at + "/bin/sh -c ".len()..]),
            None => text.to_owned(),
        };
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[(&str, bool)]) -> Vec<HistoryEntry> {
        rows.iter()
            .map(|(created_by, empty_layer)| HistoryEntry {
                created_by: (*created_by).to_owned(),
                empty_layer: *empty_layer,
            })
            .collect()
    }

    fn texts(history: &[(&str, bool)], layers: usize) -> (Vec<String>, bool) {
        let (found, exact) = align(&rows(history), layers);
        let text = |i: Option<Instruction>| i.map_or_else(|| "-".to_owned(), |i| i.text());
        (found.into_iter().map(text).collect(), exact)
    }

    #[test]
    fn marked_rows_are_skipped() {
        let history = [
            ("/bin/sh -c #(nop) ADD file:abc in / ", false),
            ("/bin/sh -c #(nop)  CMD [\"bash\"]", true),
            ("RUN /bin/sh -c make   all # buildkit", false),
            ("RUN |1 V=2 /bin/sh -c echo $V # buildkit", false),
        ];
        let want = ["ADD file:abc in /", "RUN make all", "RUN echo $V"].map(str::to_owned);
        assert_eq!(texts(&history, 3), (want.to_vec(), true));
    }

    #[test]
    fn unmarked_rows_are_told_by_what_they_do() {
        let history =
            [("ADD rootfs", false), ("ENV A=1", false), ("WORKDIR /a", false), ("RUN x", false)];
        assert_eq!(texts(&history, 3).0, ["ADD rootfs", "WORKDIR /a", "RUN x"]);
        assert_eq!(texts(&history, 2).0, ["ADD rootfs", "RUN x"]);
        assert!(texts(&history, 2).1);
    }

    #[test]
    fn a_difference_is_matched_from_the_bottom_and_said() {
        let history = [("ADD rootfs", false), ("RUN x", false)];
        assert_eq!(
            texts(&history, 3),
            (["ADD rootfs", "RUN x", "-"].map(str::to_owned).to_vec(), false)
        );
        assert_eq!(texts(&history, 1), (["ADD rootfs".to_owned()].to_vec(), false));
        assert_eq!(texts(&[], 2), (["-", "-"].map(str::to_owned).to_vec(), true));
    }

    #[test]
    fn a_row_marked_empty_by_mistake_still_gets_its_layer() {
        let history = [("ADD rootfs", false), ("RUN true", true)];
        assert_eq!(
            texts(&history, 2),
            (["ADD rootfs", "RUN true"].map(str::to_owned).to_vec(), true)
        );
    }
}
