use super::*;

fn layers(history: &[&str]) -> Vec<Option<Made>> {
    history.iter().map(|row| Made::of([*row])).collect()
}

/// The texts of the instructions that made the layers, `-` where nobody knows.
#[track_caller]
fn made(text: &str, history: &[&str], base: Option<usize>) -> Vec<String> {
    let file = Dockerfile::parse(text).unwrap();
    let target = file.target(None).unwrap();
    let text = |place: Option<Place>| {
        let own =
            |place: Place| file.stages[place.stage].instructions[place.instruction].text.clone();
        place.map_or("-".to_owned(), own)
    };
    align(&file, target, &layers(history), base).into_iter().map(text).collect()
}

const PYTHON: &str = "FROM python:3.12-slim AS base\n\
    ARG APP=/srv/app\n\
    ENV PYTHONUNBUFFERED=1 \\\n    CONF=$APP/etc\n\
    WORKDIR $APP\n\
    RUN apt-get update && \\\n    apt-get install -y \"curl\" \\\n    # comment\n    git\n\
    FROM base\n\
    COPY --chown=1:1 requirements.txt ./\n\
    RUN --mount=type=cache,target=/root/.cache/pip \\\n    pip install -r requirements.txt\n\
    COPY . .\n\
    COPY --from=x /bin/tini $CONF/\n\
    EXPOSE 80\n\
    CMD [\"app\"]\n";

#[test]
fn buildkits_histories() {
    let all = made(
        PYTHON,
        &[
            "# debian.sh --arch 'amd64' out/ 'bookworm'",
            "RUN /bin/sh -c set -eux; apt-get update; apt-get install -y tzdata # buildkit",
            "WORKDIR /srv/app",
            "RUN |1 APP=/srv/app /bin/sh -c apt-get update &&     apt-get install -y \"curl\"     git # buildkit",
            "COPY --chown=1:1 requirements.txt ./ # buildkit",
            "RUN |1 APP=/srv/app /bin/sh -c pip install -r requirements.txt # buildkit",
            "COPY . . # buildkit",
            "COPY /bin/tini /srv/app/etc/ # buildkit",
        ],
        None,
    );
    assert_eq!(
        all,
        [
            "-",
            "-",
            "WORKDIR $APP",
            "RUN apt-get update && apt-get install -y \"curl\" git",
            "COPY --chown=1:1 requirements.txt ./",
            "RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt",
            "COPY . .",
            "COPY --from=x /bin/tini $CONF/",
        ]
    );
}

#[test]
fn the_first_builders_histories() {
    let text = "FROM alpine\nARG D\nWORKDIR /app\nADD rootfs.tar.gz /\nCOPY a b /app/\n\
                COPY src $D/src\nRUN make\nCOPY conf /etc/app\n";
    let all = made(
        text,
        &[
            "/bin/sh -c #(nop) ADD file:aaaa in / ",
            "/bin/sh -c #(nop) ADD file:0123 in / ",
            "/bin/sh -c #(nop) COPY multi:4567 in /app/ ",
            "/bin/sh -c #(nop) COPY dir:89ab in /opt/src ",
            "/bin/sh -c make",
            "/bin/sh -c #(nop) COPY dir:cdef in /elsewhere ",
        ],
        None,
    );
    // The base's own `ADD … in /` is the lower of two that would fit.
    assert_eq!(
        all,
        ["-", "ADD rootfs.tar.gz /", "COPY a b /app/", "COPY src $D/src", "RUN make", "-"]
    );
}

#[test]
fn nothing_is_guessed() {
    let text = "FROM a\nRUN make one\nRUN make one\nCOPY x /x\n";
    // Either of two may have made it.
    assert_eq!(made(text, &["RUN /bin/sh -c make one"], None), ["-"]);
    assert_eq!(
        made(text, &["RUN /bin/sh -c make one", "RUN /bin/sh -c make one", "COPY x /x"], None),
        ["RUN make one", "RUN make one", "COPY x /x"]
    );
    // Another keyword, another destination, another command.
    assert_eq!(made(text, &["ADD x /x", "COPY x /y", "RUN /bin/sh -c rm /a"], None), ["-"; 3]);
    // Order is kept.
    assert_eq!(
        made(
            "FROM a\nRUN first thing\nRUN second one\n",
            &["RUN /bin/sh -c second one", "RUN /bin/sh -c first thing"],
            None
        )
        .iter()
        .filter(|made| *made != "-")
        .count(),
        1
    );
    // The base's layers are nobody's, whatever they say.
    assert_eq!(made("FROM a\nRUN x y\n", &["RUN /bin/sh -c x y"], Some(1)), ["-"]);
    assert_eq!(made("FROM a\nRUN x y\n", &[], Some(3)), [] as [&str; 0]);
}

#[test]
fn changed_commands_are_known_again() {
    let text = "FROM a\nRUN apt-get update && apt-get install -y curl git wget && rm -rf /var/lib/apt/lists/*\n\
                RUN useradd app\n";
    let all = made(
        text,
        &[
            "RUN /bin/sh -c apt-get update && apt-get install -y curl git && rm -rf /var/lib/apt/lists/*",
            "RUN /bin/sh -c groupadd other",
        ],
        None,
    );
    assert!(all[0].starts_with("RUN apt-get update"));
    assert_eq!(all[1], "-");
}

#[test]
fn heredocs() {
    let text = "FROM a\nRUN <<EOF\nset -e\nmake all\nEOF\nRUN <<PY\n#!/usr/bin/env python3\nprint()\nPY\n\
                RUN cat <<E > /x\nhello\nE\nCOPY <<E /etc/y\nx\nE\n";
    let all = made(
        text,
        &[
            "RUN /bin/sh -c set -e\nmake all\n # buildkit",
            "RUN /dev/pipes/PY # buildkit",
            "RUN /bin/sh -c cat <<E > /x\nhello\nE # buildkit",
            "COPY <<E /etc/y # buildkit",
        ],
        None,
    );
    assert_eq!(all[0], "RUN set -e make all");
    assert!(all.iter().all(|made| made != "-"), "{all:?}");
}

#[test]
fn much_is_compared_in_time() {
    let text = format!("FROM a\n{}", "RUN a b c d\n".repeat(3_000));
    let file = Dockerfile::parse(&text).unwrap();
    let layers = layers(&vec!["RUN /bin/sh -c a b c d"; 1_100]);
    assert_eq!(align(&file, 0, &layers, None).len(), 1_100);
}
