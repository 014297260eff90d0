use super::*;

#[track_caller]
fn parse(text: &str) -> Dockerfile {
    Dockerfile::parse(text).unwrap()
}

fn texts(file: &Dockerfile, stage: usize) -> Vec<&str> {
    file.stages[stage].instructions.iter().map(|instruction| instruction.text.as_str()).collect()
}

fn lines(file: &Dockerfile, stage: usize) -> Vec<(usize, usize)> {
    file.stages[stage].instructions.iter().map(|own| (own.first, own.last)).collect()
}

const WHOLE: &str = r#"# syntax=docker/dockerfile:1.7
# escape=\

ARG VERSION=12
ARG BASE="debian" MIRROR
FROM --platform=$BUILDPLATFORM golang:1.22 AS build
WORKDIR /src
run go build \
    # what comes out
    -o /app \

    ./cmd/app

from ${BASE}:${VERSION}-slim
COPY --from=build --chown=1000:1000 /app /usr/local/bin/
RUN --mount=type=cache,target=/var/cache/apt \
    --mount=type=bind,source=a,target=/b <<-EOF
	set -e
	apt-get update   # all
	EOF
RUN ["/bin/true", "a b"]
COPY ["a b", "c", "/d e/"]
ONBUILD RUN make
COPY <<one <<"two" /etc/
1
one
RUN $x
two
RUN cat <<A > /x && cat <<B
a
A
b
B
CMD ["app"]
"#;

#[test]
fn what_a_file_says() {
    let file = parse(WHOLE);
    assert_eq!(file.syntax.as_deref(), Some("docker/dockerfile:1.7"));
    assert_eq!((file.escape, file.stages.len()), ('\\', 2));
    let arguments: Vec<_> =
        file.arguments.iter().map(|own| (own.name.as_str(), own.default.as_deref())).collect();
    assert_eq!(arguments, [("VERSION", Some("12")), ("BASE", Some("debian")), ("MIRROR", None)]);
    let from = &file.stages[0].from;
    assert_eq!(from.image, "golang:1.22");
    assert_eq!(from.platform.as_deref(), Some("$BUILDPLATFORM"));
    assert_eq!((from.name.as_deref(), from.first, from.last), (Some("build"), 6, 6));
    assert_eq!(file.stages[1].from.image, "${BASE}:${VERSION}-slim");
    assert_eq!(texts(&file, 0), ["WORKDIR /src", "RUN go build -o /app ./cmd/app"]);
    assert_eq!(lines(&file, 0), [(7, 7), (8, 12)]);
    assert_eq!(
        texts(&file, 1),
        [
            "COPY --from=build --chown=1000:1000 /app /usr/local/bin/",
            "RUN --mount=type=cache,target=/var/cache/apt --mount=type=bind,source=a,target=/b \
             set -e apt-get update # all",
            "RUN /bin/true a b",
            "COPY a b c /d e/",
            "ONBUILD RUN make",
            "COPY <<one <<\"two\" /etc/",
            "RUN cat <<A > /x && cat <<B a A b B",
            "CMD [\"app\"]",
        ]
    );
    assert_eq!(
        lines(&file, 1),
        [(15, 15), (16, 20), (21, 21), (22, 22), (23, 23), (24, 28), (29, 33), (34, 34)]
    );
}

#[test]
fn bodies() {
    let file = parse(WHOLE);
    let own = &file.stages[1].instructions;
    let Body::Copy(copy) = &own[0].body else { panic!("{:?}", own[0]) };
    assert_eq!(flag(&copy.flags, "from"), Some("build"));
    assert_eq!((copy.sources[0].as_str(), copy.destination.as_str()), ("/app", "/usr/local/bin/"));
    let Body::Run(run) = &own[1].body else { panic!("{:?}", own[1]) };
    assert_eq!(run.flags.len(), 2);
    let script = run.command.script().unwrap();
    assert!(script.strip_tabs && script.expand);
    assert_eq!(script.text, "\tset -e\n\tapt-get update   # all\n");
    assert_eq!(&file.text()[script.at..][..7], "\tset -e");
    let Body::Run(run) = &own[2].body else { panic!("{:?}", own[2]) };
    assert_eq!(run.command, Command::Exec(vec!["/bin/true".to_owned(), "a b".to_owned()]));
    let Body::Copy(copy) = &own[3].body else { panic!("{:?}", own[3]) };
    assert_eq!(copy.sources, ["a b", "c"]);
    let Body::Onbuild(inner) = &own[4].body else { panic!("{:?}", own[4]) };
    assert_eq!((inner.keyword, inner.text.as_str()), ("RUN", "RUN make"));
    let Body::Copy(copy) = &own[5].body else { panic!("{:?}", own[5]) };
    assert_eq!(copy.heredocs[1].text, "RUN $x\n");
    assert!(copy.heredocs[0].expand && !copy.heredocs[1].expand);
    let Body::Run(run) = &own[6].body else { panic!("{:?}", own[6]) };
    assert!(run.command.script().is_none());
}

#[test]
fn other_escapes_and_line_ends() {
    let file = parse(
        "# escape=`\r\nFROM mcr.microsoft.com/windows/nanoserver\r\nRUN dir `\r\n  c:\\ \r\n\
         COPY a.txt c:\\\r\n",
    );
    assert_eq!(texts(&file, 0), ["RUN dir c:\\", "COPY a.txt c:\\"]);
    assert_eq!(lines(&file, 0), [(3, 4), (5, 5)]);
    let file = parse("FROM a\r\nRUN a && \\\r\n  # no\r\n  b\r\n");
    assert_eq!(texts(&file, 0), ["RUN a && b"]);
    let file = parse("\u{feff}FROM a\nRUN echo \\\\\nRUN b \\\n");
    assert_eq!(texts(&file, 0), ["RUN echo \\\\", "RUN b"]);
    // Only comments at the top are directives.
    let file = parse("# a comment\n# escape=`\nFROM a\nRUN a \\\n b");
    assert_eq!((file.escape, texts(&file, 0)), ('\\', vec!["RUN a b"]));
}

#[test]
fn stages_and_targets() {
    let file = parse(
        "ARG FROM_BASE=base\nFROM a AS Base\nRUN a\nFROM b AS other\nFROM $FROM_BASE AS mid\n\
         RUN m\nFROM mid\nRUN l\n",
    );
    assert_eq!(file.target(None), Some(3));
    assert_eq!(file.target(Some("MID")), Some(2));
    assert_eq!(file.target(Some("1")), Some(1));
    assert_eq!(file.target(Some("nope")), None);
    assert_eq!(file.chain(3), [0, 2, 3]);
    assert_eq!(file.chain(1), [1]);
    assert_eq!(file.chain(9), [] as [usize; 0]);
    // A name is the image's where its stage comes later or is its own.
    assert_eq!(parse("FROM a AS a\nFROM a\n").chain(1), [0, 1]);
    assert_eq!(parse("FROM b AS b\n").chain(0), [0]);
}

#[test]
fn buildkit_is_told_by_what_only_it_reads() {
    for (line, is_told) in [
        ("RUN a", false),
        ("COPY --from=x a b", false),
        ("COPY --chown=1 a b", false),
        ("COPY --chmod=1 a b", true),
        ("COPY --link a b", true),
        ("RUN --mount=type=tmpfs,target=/a a", true),
        ("RUN <<E\na\nE", true),
    ] {
        assert_eq!(parse(&format!("FROM a\n{line}\n")).uses_buildkit(), is_told, "{line}");
    }
    assert!(parse("#syntax=docker/dockerfile:1\nFROM a\n").uses_buildkit());
}

#[test]
fn what_cannot_be_read_is_said_with_its_line() {
    for (text, want) in [
        ("", "line 1: the file ends; a FROM was expected"),
        ("# only\n\n", "line 2: the file ends; a FROM was expected"),
        ("RUN a\n", "line 1: RUN stands before any FROM or ARG"),
        (
            "FROM a\nFOO b\n",
            "line 2: \"FOO\" is no instruction; RUN, COPY or the like was expected",
        ),
        ("FROM a\nRUN\n", "line 2: RUN stands alone; its arguments were expected"),
        (
            "FROM a\nCOPY a\n",
            "line 2: COPY has too few words; sources and a destination were expected",
        ),
        ("FROM a b\n", "line 1: FROM was expected to have an image, or an image, AS and a name"),
        (
            "FROM a\nRUN x\nRUN <<E\na\n",
            "line 3: the heredoc has no end; a line \"E\" was expected",
        ),
        ("# escape=x\nFROM a\n", "line 1: escape is \"x\"; it can be \\ or `, nothing else"),
        ("FROM a\nONBUILD FROM b\n", "line 2: ONBUILD FROM is not possible"),
        ("FROM a\nRUN --mount=a\n", "line 2: RUN has only flags; a command was expected"),
    ] {
        assert_eq!(Dockerfile::parse(text).unwrap_err().to_string(), want, "{text:?}");
    }
    let long = "#".repeat(TEXT_MAX + 1);
    assert!(Dockerfile::parse(&long).unwrap_err().to_string().contains("at most 1048576"));
    assert!(Dockerfile::parse(&format!("FROM a\n{}", "ONBUILD ".repeat(100_000))).is_err());
    let many = format!("FROM a\n{}", "RUN a\n".repeat(INSTRUCTIONS_MAX));
    let error = Dockerfile::parse(&many).unwrap_err();
    assert_eq!(error.line, INSTRUCTIONS_MAX + 1);
}

#[test]
fn odd_input_ends() {
    let odd = [
        "\\",
        "FROM",
        "FROM \\",
        "\0",
        "\u{1}\u{7f}\u{fffd}",
        "FROM a\nRUN \\",
        "FROM a\nRUN \"",
        "FROM a\nRUN <<",
        "FROM a\nRUN --",
        "FROM a\nRUN -- a",
        "FROM a\nCOPY --a=\" b",
        "FROM a\nCOPY [\"",
        "FROM a\nENV \\",
        "FROM a\nENV =",
        "FROM a\nENV ${",
        "FROM ${",
        "FROM a\nRUN é\\",
        "FROM a\nRUN echo \\é && apt-get install é",
        "FROM a\r\rRUN b",
        "FROM a\nRUN 'é",
        "FROM a\nRUN apt-get update '&& apt-get install b ",
        "FROM a\nRUN apt-get install b\u{a0}",
        "FROM a\nRUN apt-get install b\u{b}",
        "FROM a\nRUN $(é",
        "FROM a\nRUN `",
        "FROM a\nRUN 2>é",
        "FROM a\nRUN <<é\nx\né",
        "FROM a\nRUN apt-get install &",
        "FROM a\nRUN apt-get update #",
        "FROM a\nWORKDIR \"",
        "FROM a\nCOPY a .\nRUN chmod 755 .",
        "FROM a\nRUN (((",
        "FROM a\nRUN )))",
        "FROM a\n\u{a0}RUN x",
    ];
    for text in odd {
        if let Ok(file) = Dockerfile::parse(text) {
            improve::improve(&file, 0);
            improve::rewrite(text, None, |_| true).unwrap();
            align::align(&file, 0, &[None], None);
        }
    }
}

/// An independent parser agrees on instructions and where they start, as far as it reads heredocs.
#[test]
fn another_parser_sees_the_same() {
    use parse_dockerfile::Instruction as Other;
    let plain = "ARG A=1\nFROM a AS b\nRUN x \\\n # c\n  y\n\nenv A b\nLABEL a=\"b \\\n c\"\n\
                 ONBUILD copy a b\nFROM b\ncopy --from=b /a /b\nRUN <<E\nx\nE\nUSER x\n";
    let other = parse_dockerfile::parse(plain).unwrap();
    let span = |instruction: &Other<'_>| match instruction {
        Other::Run(own) => Some(own.run.span.start),
        Other::Env(own) => Some(own.env.span.start),
        Other::Label(own) => Some(own.label.span.start),
        Other::Onbuild(own) => Some(own.onbuild.span.start),
        Other::Copy(own) => Some(own.copy.span.start),
        Other::User(own) => Some(own.user.span.start),
        _ => None,
    };
    let theirs: Vec<usize> = other.instructions.iter().filter_map(span).collect();
    let file = parse(plain);
    let ours = file.stages.iter().flat_map(|stage| &stage.instructions);
    let ours: Vec<usize> = ours.map(|own| own.joined.place(0)).collect();
    assert_eq!(ours, theirs);
}

/// Pieces of Dockerfiles, whole and broken, for texts that nobody would write.
const PIECES: [&str; 46] = [
    "FROM a",
    "FROM a AS b",
    "FROM b",
    "\nRUN ",
    "\nCOPY ",
    "\nADD ",
    "\nENV ",
    "\nARG ",
    "\nWORKDIR ",
    "\nUSER ",
    "\nONBUILD ",
    "\nSHELL [\"sh\"]",
    "\n",
    "\r\n",
    " \\\n",
    "\\",
    "`",
    "# c\n",
    "<<E\n",
    "<<-\"E\" ",
    "\nE\n",
    "apt-get update ",
    "apt-get install x",
    "pip install -r r.txt",
    "npm ci",
    "yarn",
    "rm /x",
    "chmod 755 /x",
    "--mount=type=cache,target=/x ",
    "--chmod=1 ",
    ". .",
    "a.sh /x",
    "&& ",
    "; ",
    "| ",
    "(",
    ")",
    "{ ",
    "\"",
    "'",
    "$(",
    "${A:-b}",
    "A=1",
    "é",
    "\0",
    " # ",
];

proptest::proptest! {
    /// Whatever the text is: no panic, instructions in order, and edits that parse.
    #[test]
    fn any_text_ends(pieces in proptest::collection::vec(0..PIECES.len(), 0..24)) {
        let text: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        for text in [text.clone(), format!("# syntax=docker/dockerfile:1\nFROM a\nRUN {text}")] {
            let Ok(file) = Dockerfile::parse(&text) else { continue };
            let lines = file.stages.iter().flat_map(|stage| &stage.instructions);
            let mut done = 0;
            for own in lines {
                assert!(done < own.first && own.first <= own.last, "{text:?}");
                done = own.last;
            }
            let target = file.target(None).unwrap();
            align::align(&file, target, &[None], None);
            for improvement in improve::improve(&file, target) {
                if let Some(edit) = improvement.edit {
                    let new = edit::apply(&text, &[edit]).unwrap();
                    assert!(Dockerfile::parse(&new).is_ok(), "{text:?} becomes {new:?}");
                }
            }
        }
    }
}
