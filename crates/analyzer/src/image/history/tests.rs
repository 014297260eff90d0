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
    assert_eq!(texts(&history, 2), (["ADD rootfs", "RUN true"].map(str::to_owned).to_vec(), true));
}

/// What buildah without `--layers` writes: every row but the last marked, one layer.
#[test]
fn a_layer_may_stand_for_a_group_of_rows() {
    let history = [
        ("/bin/sh -c #(nop) ADD file:abc in / ", false),
        ("/bin/sh -c #(nop)  CMD [\"bash\"]", true),
        ("/bin/sh -c #(nop) WORKDIR /w", true),
        ("/bin/sh -c #(nop) COPY file:1 in /a ", true),
        ("/bin/sh -c #(nop) env X=1", true),
        ("/bin/sh -c rm /a", true),
        ("/bin/sh -c #(nop) CMD [\"x\"]", false),
    ];
    let group = "3 instructions: WORKDIR /w; COPY file:1 in /a; RUN rm /a";
    assert_eq!(texts(&history, 2).0, ["ADD file:abc in /", group]);
    let (found, exact) = align(&rows(&history), 2);
    assert!(exact);
    let group = found[1].clone().unwrap();
    assert_eq!(group.keyword(), None);
    assert_eq!(
        group.created_by(),
        "/bin/sh -c #(nop) WORKDIR /w\n/bin/sh -c #(nop) COPY file:1 in /a \n/bin/sh -c rm /a"
    );
    // The last row makes files as well, or only one of the group does.
    let history = [("COPY a /", true), ("RUN a", true), ("RUN b", false)];
    assert_eq!(texts(&history, 1).0, ["3 instructions: COPY a /; RUN a; RUN b"]);
    let history = [("COPY a /", true), ("LABEL a=b", false)];
    assert_eq!(texts(&history, 1).0, ["COPY a /"]);
    // `docker build --squash` adds a row without an instruction, `buildah commit` a bare shell.
    for own in ["", "/bin/sh"] {
        let history = [("COPY a / # buildkit", true), ("RUN b # buildkit", true), (own, false)];
        assert_eq!(texts(&history, 1).0, ["2 instructions: COPY a /; RUN b"]);
    }
}

#[test]
fn an_instruction_without_a_change_is_in_no_layer() {
    let history = [
        ("COPY a / # buildkit", false),
        ("RUN /bin/sh -c true # buildkit", true),
        ("ENV A=1", true),
        ("RUN /bin/sh -c make # buildkit", false),
        ("WORKDIR /w", true),
        ("/bin/sh -c make install", false),
    ];
    assert_eq!(texts(&history, 3).0, ["COPY a /", "RUN make", "RUN make install"]);
    // The base's own, below BuildKit's.
    let history = [("/bin/sh -c true", true), ("COPY a / # buildkit", false)];
    assert_eq!(texts(&history, 1).0, ["COPY a /"]);
}

#[test]
fn from_and_blank_rows() {
    let history = [("FROM scratch", false), ("COPY a /", false), ("RUN b", false)];
    assert_eq!(texts(&history, 2), (["COPY a /", "RUN b"].map(str::to_owned).to_vec(), true));
    // A base image of one layer whose only row it is.
    assert_eq!(texts(&history, 3).0, ["FROM scratch", "COPY a /", "RUN b"]);
    // Not matched: FROM is still no layer.
    assert_eq!(texts(&history, 1), (vec!["COPY a /".to_owned()], false));
    let history = [("FROM a", false), ("COPY a /", false), ("CMD b", true), ("RUN b", false)];
    assert_eq!(texts(&history, 2).0, ["COPY a /", "RUN b"]);
    let history = [("COPY a /", false), (" \t", false)];
    assert_eq!(texts(&history, 2).0, ["COPY a /", "-"]);
}
