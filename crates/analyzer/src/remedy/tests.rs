use std::num::NonZeroUsize;

use jettison_testkit::image::{ImageBuilder, ImageFiles, LayerBuilder, Meta, Wrap};

use super::*;
use crate::analyze::{BaseArgument, Options, analyze};
use crate::source::OpenOptions;

const BASE: &str = "/bin/sh -c #(nop) ADD file:0123 in / ";

/// Files of a kibibyte each, whose content is that of their number.
fn files(of: impl IntoIterator<Item = (&'static str, u8)>) -> LayerBuilder {
    of.into_iter()
        .fold(LayerBuilder::new(), |layer, (path, content)| layer.file(path, vec![content; 1024]))
}

/// Dressed as a chmod leaves them.
fn dressed(of: impl IntoIterator<Item = (&'static str, u8)>) -> LayerBuilder {
    of.into_iter().fold(LayerBuilder::new(), |layer, (path, content)| {
        layer.file_with(path, vec![content; 1024], Meta::mode(0o700))
    })
}

fn gone(path: &str) -> LayerBuilder {
    LayerBuilder::new().whiteout(path)
}

/// The sentences of an image with these layers, of which the first `base` are the base's.
fn sentences<const N: usize>(base: usize, layers: [(&str, LayerBuilder); N]) -> Vec<String> {
    let image = layers
        .into_iter()
        .fold(ImageBuilder::new(), |image, (created_by, layer)| image.layer(layer, created_by));
    let file = tempfile::NamedTempFile::new().unwrap();
    let archive = ImageFiles::docker_archive(&[image.build()]);
    archive.write_archive(file.path(), Wrap::None).unwrap();
    let options = Options {
        open: OpenOptions::default(),
        jobs: NonZeroUsize::MIN,
        verify: false,
        base: Some(BaseArgument::Count(base)),
        cache: None,
    };
    let word = format!("docker-archive:{}", file.path().display());
    let account = analyze(&word, &mut || Box::new(std::io::empty()), &options).unwrap();
    let remedies = Remedies::of(&account);
    account.waste.iter().map(|row| remedies.sentence(row)).collect()
}

/// The only sentence of an image whose second layer does something to the first.
fn sentence(lower: (&str, LayerBuilder), upper: (&str, LayerBuilder)) -> String {
    let mut all = sentences(0, [lower, upper]);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// What it says to do.
fn advice(lower: (&str, LayerBuilder), upper: (&str, LayerBuilder)) -> String {
    sentence(lower, upper).split_once(": ").unwrap().1.to_owned()
}

#[test]
fn the_sentence_names_the_layers_and_the_bytes() {
    let two = || files([("a", 1), ("b", 2)]);
    assert_eq!(
        sentence(("COPY . / # buildkit", two()), ("RUN rm a b", gone("a").whiteout("b"))),
        "RUN rm #1 deletes 2.0 KiB in 2 files that COPY #0 added: \
         never copy them (.dockerignore), or only mount them (RUN --mount=type=bind)"
    );
    assert_eq!(
        sentence(("CMD x", files([("a", 1)])), ("bazel build", gone("a"))),
        "layer #1 deletes 1.0 KiB in 1 file that layer #0 added: leave it out of layer #0"
    );
}

#[test]
fn bytes_are_not_added_where_that_can_be() {
    let file = || files([("d/a", 1)]);
    let rm = || ("RUN rm -r d", gone("d"));
    for (created_by, want) in [
        ("COPY --from=build /d /d", "never copy it, or only mount it (RUN --mount=type=bind)"),
        ("COPY /d /d # buildkit", "never copy it, or only mount it (RUN --mount=type=bind)"),
        ("ADD https://example.test/a /d/", "download, use and delete it in one RUN"),
        ("ADD a.tar.gz /d", "never add it, or only mount it (RUN --mount=type=bind)"),
        ("ADD a /d/", "never add it (.dockerignore), or only mount it (RUN --mount=type=bind)"),
        (BASE, "the root filesystem brings it; a leaner one does not"),
        ("ADD rootfs.tar.xz / # buildkit", "the root filesystem brings it; a leaner one does not"),
        ("RUN make", "delete it at the end of the RUN that made it (#0)"),
    ] {
        assert_eq!(advice((created_by, file()), rm()), want, "{created_by}");
    }
    let all = sentences(1, [("RUN make", files([("a", 1)])), ("RUN rm a", gone("a"))]);
    assert!(all[0].ends_with(": the base image brings it; a leaner base does not"), "{all:?}");
    let emptied = LayerBuilder::new().opaque("d");
    assert_eq!(
        sentence(("RUN make", file()), ("RUN clean", emptied)),
        "RUN #1 empties a directory with 1.0 KiB in 1 file of RUN #0: \
         delete it at the end of the RUN that made it (#0)"
    );
}

#[test]
fn what_is_moved_is_put_to_its_final_path() {
    let moved = || ("RUN /bin/sh -c mv a /b", files([("b", 1)]).whiteout("a"));
    assert_eq!(
        sentence(("COPY a /", files([("a", 1)])), moved()),
        "RUN mv #1 moves 1.0 KiB in 1 file that COPY #0 added: copy it to its final path instead"
    );
    assert_eq!(
        advice(("RUN make", files([("a", 1)])), moved()),
        "move it in the RUN that made it (#0)"
    );
    assert_eq!(advice((BASE, files([("a", 1)])), moved()), "leave it where it is, or link to it");
    // Moved to where it takes no place, or another file of another size came.
    let lost = ("RUN mv a /mnt", files([]).file("b", vec![1; 99]).whiteout("a"));
    assert!(sentence(("COPY a /", files([("a", 1)])), lost).contains(" deletes "));
}

#[test]
fn mode_and_owner_are_set_where_the_content_comes_from() {
    let (plain, new) = (|| files([("a", 1)]), || dressed([("a", 1)]));
    for (lower, upper, want) in [
        ("COPY a /", "RUN chmod 700 a", "use COPY --chmod"),
        ("ADD a /", "RUN chgrp x a", "use ADD --chown"),
        ("COPY a /", "RUN chown x a && /bin/chmod 700 a", "use COPY --chown --chmod"),
        ("COPY a /", "RUN find / -exec chmod 700 {} +", "use COPY --chmod"),
        ("COPY a /", "RUN touch a", "set mode, owner and times where it is copied (#0)"),
        ("RUN make", "chmod 755 /a", "do that in the RUN that made it (#0)"),
        ("RUN make", "RUN touch a", "set mode, owner and times in the RUN that made it (#0)"),
        (
            BASE,
            "RUN chmod 700 a",
            "it is the root filesystem's; change only the paths that need it",
        ),
        ("COPY a /", "COPY . /", "it is copied twice; leave it out of one of the two"),
        ("RUN make", "COPY . /", "it is there already; leave it out of COPY #1"),
    ] {
        assert_eq!(advice((lower, plain()), (upper, new())), want, "{lower}, {upper}");
    }
}

#[test]
fn a_chain_of_dressings_leads_to_the_copy() {
    let layer = |mode| LayerBuilder::new().file_with("a", [1; 1024], Meta::mode(mode));
    let all = sentences(
        0,
        [
            ("COPY a /", layer(0o600)),
            ("RUN chmod 644 a", layer(0o644)),
            ("RUN useradd x && chown x a", layer(0o645)),
            ("COPY . /", layer(0o644)),
            ("RUN rm a", gone("a")),
        ],
    );
    assert_eq!(
        all,
        [
            "RUN chmod #1 rewrote 1.0 KiB in 1 file of COPY #0 unchanged: use COPY --chmod",
            "RUN #2 rewrote 1.0 KiB in 1 file of COPY #0 unchanged: use COPY --chown",
            "COPY #3 rewrote 1.0 KiB in 1 file of COPY #0 unchanged: \
             it is copied twice; drop one COPY, and give the other --chown",
            "RUN rm #4 deletes 1.0 KiB in 1 file that COPY #0 added: \
             never copy it (.dockerignore), or only mount it (RUN --mount=type=bind)",
        ]
    );
    let all = sentences(
        0,
        [
            ("COPY a /", files([("a", 1)])),
            ("RUN make", files([("b", 2), ("c", 3)])),
            ("RUN chmod -R 700 /", dressed([("a", 1), ("b", 2), ("c", 3)])),
            ("RUN rm a b c", gone("a").whiteout("b").whiteout("c")),
        ],
    );
    let rm = "RUN rm #3 deletes 3.0 KiB in 3 files that RUN #1 and others added: ";
    assert!(all[0].starts_with(rm), "{all:?}");
}

#[test]
fn a_path_is_written_once() {
    for (lower, upper, want) in [
        (
            "RUN npm install",
            "COPY . . # buildkit",
            "exclude it from COPY #1 (.dockerignore), or copy before RUN #0",
        ),
        ("RUN make", "COPY /d /d # buildkit", "leave it out of COPY #1, or copy before RUN #0"),
        (BASE, "RUN apt-get upgrade", "start from a newer base, or leave it as it is"),
        (BASE, "COPY etc /etc", "start from a base without it"),
        ("COPY . /app", "RUN npm ci", "leave it to RUN #1, or copy its final state after it"),
        ("ADD a /", "RUN npm ci", "leave it to RUN #1, or add its final state after it"),
        ("COPY a /", "COPY b /", "leave it out of COPY #0"),
        ("RUN a", "RUN b", "join #0 and #1 into one RUN"),
        ("bazel build", "RUN b", "write it only once, in RUN #1"),
    ] {
        let said = advice((lower, files([("a", 1)])), (upper, files([("a", 2)])));
        assert_eq!(said, want, "{lower}, {upper}");
    }
    let all = sentences(1, [("RUN a", files([("a", 1)])), ("RUN b", files([("a", 2)]))]);
    assert!(all[0].ends_with(": start from a base that has it up to date"), "{all:?}");
}

#[test]
fn what_took_the_place_is_said() {
    let lower = || ("COPY . /", files([("d/a", 1), ("d/b", 2), ("e/a", 3), ("f", 4), ("g", 5)]));
    let new = LayerBuilder::new;
    for (layer, want) in [
        (new().symlink("d", "/x"), "a symlink in the place of a directory with 2.0 KiB in 2 files"),
        (
            new().file("d", "").file("e", ""),
            "files in the place of directories with 3.0 KiB in 3 files",
        ),
        (new().directory("f"), "a directory in the place of 1.0 KiB in 1 file"),
        (new().file("f/x/y", ""), "a directory in the place of 1.0 KiB in 1 file"),
        (new().fifo("f").fifo("g"), "named pipes in the place of 2.0 KiB in 2 files"),
        (new().file("d", "").directory("f"), "something else in the place of 3.0 KiB in 3 files"),
    ] {
        let said = sentence(lower(), ("RUN x", layer));
        let said = said.split(": ").next().unwrap();
        assert_eq!(said, format!("RUN #1 puts {want} of COPY #0"));
    }
}

#[test]
fn a_layer_that_brings_a_path_twice() {
    let twice = files([("a", 1)]).file("a", vec![2; 1024]);
    let all = sentences(0, [("COPY a /", twice)]);
    assert_eq!(
        all,
        ["COPY #0 brings 1.0 KiB in 1 file more than once in the same layer: \
          its builder writes paths twice; build the layer anew"]
    );
}
