use super::*;
use crate::advice::dockerfile::edit::tests::patched;
use crate::advice::dockerfile::edit::unified_diff;

mod packages;
mod structure;

/// Improvements of the last stage.
#[track_caller]
fn found(text: &str) -> Vec<Improvement> {
    let file = Dockerfile::parse(text).unwrap();
    improve(&file, file.target(None).unwrap())
}

fn kinds(text: &str) -> Vec<Kind> {
    found(text).into_iter().map(|improvement| improvement.kind).collect()
}

/// Each edit by itself parses, and `patch` takes its diff; the text with all of a kind.
#[track_caller]
fn fixed(text: &str, kind: Kind) -> String {
    for improvement in found(text) {
        if let Some(edit) = improvement.edit {
            let new = edit::apply(text, &[edit]).unwrap();
            Dockerfile::parse(&new).unwrap();
            assert_eq!(patched("Dockerfile", text, &unified_diff("Dockerfile", text, &new)), new);
        }
    }
    rewrite(text, None, |improvement| improvement.kind == kind).unwrap().0
}

/// Bodies without FROM, before and after the edits of a kind. An empty second says that there is
/// nothing to improve.
#[track_caller]
fn check(kind: Kind, rows: &[(&str, &str)]) {
    for (before, after) in rows {
        let text = format!("FROM a\n{before}\n");
        let is_found = kinds(&text).contains(&kind);
        assert_eq!(is_found, !after.is_empty(), "{before}");
        let want = if after.is_empty() { before } else { after };
        assert_eq!(fixed(&text, kind), format!("FROM a\n{want}\n"), "{before}");
    }
}

const REAL: &str = r#"# syntax=docker/dockerfile:1
ARG NODE=20
FROM node:${NODE}-bookworm AS base
# what everything needs
RUN apt-get update && apt-get install -y \
    # for health checks
    curl \
    git

FROM base
WORKDIR /srv
COPY . .
RUN npm ci
COPY entrypoint.sh /entrypoint.sh
RUN chmod 755 /entrypoint.sh
RUN apt-get update && apt-get -y install jq
RUN rm -rf /var/lib/apt/lists/*
CMD ["node", "server.js"]
"#;

#[test]
fn all_edits_of_a_real_file() {
    let (new, made) = rewrite(REAL, None, |_| true).unwrap();
    assert_eq!(
        new,
        r#"# syntax=docker/dockerfile:1
ARG NODE=20
FROM node:${NODE}-bookworm AS base
# what everything needs
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt,sharing=locked \
    apt-get update && apt-get install --no-install-recommends -y \
    # for health checks
    curl \
    git

FROM base
WORKDIR /srv
COPY --link package*.json ./
RUN --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev
COPY --link . .
COPY --link --chmod=755 entrypoint.sh /entrypoint.sh
RUN apt-get update && apt-get -y install --no-install-recommends jq \
    && rm -rf /var/lib/apt/lists/*
CMD ["node", "server.js"]
"#
    );
    assert_eq!(made.len(), 11);
    // Once more, there is nothing left.
    assert_eq!(rewrite(&new, None, |_| true).unwrap(), (new.clone(), Vec::new()));
    let diff = unified_diff("Dockerfile", REAL, &new);
    assert_eq!(patched("Dockerfile", REAL, &diff), new);
}

#[test]
fn lines_and_words() {
    let all = found(REAL);
    let recommends = all.iter().find(|own| own.kind == Kind::Recommends).unwrap();
    assert_eq!((recommends.line, recommends.last_line), (5, 8));
    assert_eq!(recommends.edit.as_ref().unwrap().first, 5);
    assert_eq!(recommends.edit.as_ref().unwrap().lines.len(), 1);
    for improvement in all {
        assert!(!improvement.what.ends_with('.') && !improvement.what.contains("  "));
    }
}

#[test]
fn only_the_target_and_its_ancestors() {
    let text =
        "FROM a AS x\nRUN apk add b\nFROM c AS y\nRUN apk add d\nFROM x\nCOPY --from=y /z /z\n";
    let lines: Vec<usize> = found(text).iter().map(|own| own.line).collect();
    assert_eq!(lines, [2]);
    let file = Dockerfile::parse(text).unwrap();
    assert_eq!(improve(&file, 1)[0].line, 4);
    assert_eq!(improve(&file, 7), []);
}

#[test]
fn other_shells_and_onbuild_are_left_alone() {
    for text in [
        "# escape=`\nFROM a\nRUN pip install x\n",
        "FROM a\nSHELL [\"powershell\", \"-Command\"]\nRUN pip install x\n",
        "FROM a\nONBUILD RUN pip install x\n",
        "FROM a\nRUN [\"pip\", \"install\", \"x\"]\n",
        "FROM a\nRUN <<EOF\n#!/usr/bin/env python3\npip install x\nEOF\n",
        "FROM a\nRUN echo 'pip install x'\n",
        "FROM a\n# RUN pip install x\n",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
    let bash = "FROM a\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN pip install x\n";
    assert_eq!(found(bash).len(), 1);
}

#[test]
fn line_ends_are_kept() {
    let text = "FROM a\r\nRUN apk add \\\r\n  b\r\n";
    assert_eq!(fixed(text, Kind::PackageCache), "FROM a\r\nRUN apk add --no-cache \\\r\n  b\r\n");
    assert_eq!(
        fixed("FROM a\nRUN apk add b", Kind::PackageCache),
        "FROM a\nRUN apk add --no-cache b"
    );
    let open = "FROM a\nRUN apt-get update && apt-get install b \\";
    let new = fixed(open, Kind::PackageCache);
    assert_eq!(
        new,
        "FROM a\nRUN apt-get update && apt-get install b && rm -rf /var/lib/apt/lists/* \\"
    );
    let moved = "FROM a\nCOPY . .\nRUN npm ci";
    assert_eq!(
        fixed(moved, Kind::CopyOrder),
        "FROM a\nCOPY package*.json ./\nRUN npm ci\nCOPY . ."
    );
}

#[test]
fn node_modules() {
    let installs = |body: &str| {
        installs_node_modules(&Dockerfile::parse(&format!("FROM a\n{body}\n")).unwrap(), 0)
    };
    assert!(installs("RUN npm ci") && installs("RUN cd x && yarn") && installs("RUN pnpm install"));
    assert!(!installs("RUN npm run build") && !installs("COPY . ."));
}
