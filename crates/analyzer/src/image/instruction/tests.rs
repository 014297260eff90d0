use super::*;

fn text(created_by: &str) -> String {
    Instruction::of([created_by]).unwrap().text()
}

#[test]
fn instructions_behind_any_shell_are_themselves() {
    for (created_by, want) in [
        ("/bin/sh -c #(nop) ADD file:abc in / ", "ADD file:abc in /"),
        ("/bin/sh -c #(nop)  CMD [\"bash\"]", "CMD [\"bash\"]"),
        ("/bin/bash -o pipefail -c #(nop)  COPY file:1 in /a ", "COPY file:1 in /a"),
        ("/bin/sh -ec #(nop) WORKDIR /w", "WORKDIR /w"),
        ("cmd /S /C #(nop) COPY dir:1 in C:\\app ", "COPY dir:1 in C:\\app"),
        ("powershell -Command $ErrorActionPreference = 'Stop'; #(nop)  ENV A=1", "ENV A=1"),
        ("/usr/local/bin/own-shell --run #(nop) USER me", "USER me"),
        ("/bin/sh -c #(nop) cmd [\"x\"]", "CMD [\"x\"]"),
        ("/bin/sh -c #(nop) unknown words", "unknown words"),
        ("/bin/sh -c grep '#(nop)' log", "RUN grep '#(nop)' log"),
    ] {
        assert_eq!(text(created_by), want, "{created_by}");
    }
}

#[test]
fn commands_of_any_shell_are_runs() {
    for (created_by, want) in [
        ("RUN /bin/sh -c make   all # buildkit", "RUN make all"),
        ("/bin/ash -eo pipefail -c make", "RUN make"),
        ("/bin/bash -euxo pipefail -c rm b", "RUN rm b"),
        ("RUN /bin/bash -o errexit -o pipefail -c a | b # buildkit", "RUN a | b"),
        ("/bin/bash --login -c make", "RUN make"),
        ("/usr/bin/zsh +x -lc make", "RUN make"),
        ("cmd /S /C del a", "RUN del a"),
        ("RUN powershell -Command Remove-Item a # buildkit", "RUN Remove-Item a"),
        ("C:\\pwsh.exe -ExecutionPolicy Bypass -Command dir", "RUN dir"),
        ("chmod 755 /usr/x", "RUN chmod 755 /usr/x"),
        ("/opt/install --all", "RUN /opt/install --all"),
        ("RUN conda run -n a /bin/bash -c make", "RUN conda run -n a /bin/bash -c make"),
        ("RUN /bin/sh setup.sh", "RUN /bin/sh setup.sh"),
    ] {
        assert_eq!(text(created_by), want, "{created_by}");
    }
}

#[test]
fn build_arguments_are_no_part_of_the_command() {
    for (created_by, want) in [
        ("|2 A=1 B=2 /bin/sh -c make", "RUN make"),
        ("|1 V=1 /bin/sh -ec make", "RUN make"),
        ("RUN |1 A=1 /bin/bash -o pipefail -c a | b # buildkit", "RUN a | b"),
        ("RUN |2 A=one two B= /bin/sh -c echo |2 x y # buildkit", "RUN echo |2 x y"),
        ("|1 A=1 make all", "RUN make all"),
        ("|1 A=/bin/sh make all", "RUN make all"),
        ("|0 /bin/sh -c make", "RUN make"),
        ("|9 A=1", "|9 A=1"),
        ("| A=1 /bin/sh -c make", "| A=1 /bin/sh -c make"),
    ] {
        assert_eq!(text(created_by), want, "{created_by}");
    }
}

#[test]
fn what_is_no_dockerfile_s_stays_as_it_is() {
    for created_by in ["bazel build ...", "Apply image 10.0", "/bin/sh", "bash", "#!/bin/sh set -e"]
    {
        assert_eq!(text(created_by), created_by);
        assert_eq!(Instruction::of([created_by]).unwrap().keyword(), None);
    }
    assert_eq!(Instruction::of(["", " \t"]), None);
}

#[test]
fn only_what_changes_files_has_a_keyword() {
    let keyword = |created_by: &str| Instruction::of([created_by]).unwrap().keyword();
    assert_eq!(keyword("COPY a /"), Some("COPY"));
    assert_eq!(keyword("/bin/bash -ec make"), Some("RUN"));
    assert_eq!(keyword("CMD [\"x\"]"), None);
    assert_eq!(keyword("FROM debian"), None);
    assert_eq!(keyword(&"A".repeat(200)), None);
    assert_eq!(Instruction::of(["COPY a /", "RUN b"]).unwrap().keyword(), None);
}
