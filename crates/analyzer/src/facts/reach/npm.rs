//! Scripts of `package.json` that `npm start`, `npm run NAME` and their like run.

use serde_json::Value;

use crate::error::Result;
use crate::facts::evidence::Evidence;
use crate::facts::reach::{Reach, command, node, script};
use crate::tree::NodeId;

/// Commands of the tools that are no names of scripts.
const OPTIONS_WITH_VALUE: [&[u8]; 5] = [b"--prefix", b"-C", b"--cwd", b"--dir", b"--workspace"];

/// Claims what a tool of that name runs.
pub(super) fn command(
    reach: &mut Reach<'_>,
    tool: &[u8],
    arguments: &[Vec<u8>],
    program: NodeId,
) -> Result<()> {
    let mut directory = reach.environment.working_directory(reach.files);
    let mut words = Vec::new();
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        if OPTIONS_WITH_VALUE.contains(&&word[..]) {
            let value = rest.next();
            if let Some(found) = value.and_then(|path| reach.environment.path(reach.files, path)) {
                directory = found.node;
            }
        } else if !word.starts_with(b"-") {
            words.push(&word[..]);
        }
    }
    let name = match (tool, &words[..]) {
        (b"npx", [first, ..]) | (_, [b"exec" | b"dlx", first, ..]) => {
            let path = [b"node_modules/.bin/", *first].concat();
            if let Some(found) = reach.files.find_from(directory, &path) {
                reach.claim_found(&found, Evidence::Needed, "command of", Some(program));
            }
            return Ok(());
        }
        (_, [b"run" | b"run-script", name, ..] | [name, ..]) => *name,
        (_, []) => return Ok(()),
    };
    let Some(manifest) = reach.files.tree().child(directory, b"package.json") else {
        return Ok(());
    };
    reach.claim(manifest, Evidence::Needed, "package.json of", Some(program));
    let Some(content) = reach.files.content(manifest)? else { return Ok(()) };
    let document: Value = serde_json::from_slice(content.text()).unwrap_or_default();
    let name = String::from_utf8_lossy(name).into_owned();
    let mut has_own = false;
    for name in [format!("pre{name}"), name.clone(), format!("post{name}")] {
        if let Some(text) = document["scripts"][&name].as_str() {
            has_own = true;
            run(reach, directory, text, manifest)?;
        }
    }
    if name == "start" && !has_own {
        // npm's own default.
        let node = reach.environment.command(reach.files, b"node");
        if let Some(found) = node {
            reach.claim_found(&found, Evidence::Needed, "command of", Some(program));
            node::command(reach, &[b"server.js".to_vec()], found.node)?;
        }
    }
    Ok(())
}

/// A script's commands are looked for in `node_modules/.bin` first.
fn run(reach: &mut Reach<'_>, directory: NodeId, text: &str, manifest: NodeId) -> Result<()> {
    for word in text.split_ascii_whitespace() {
        let path = [b"node_modules/.bin/", word.as_bytes()].concat();
        let found = reach.files.find_from(directory, &path);
        if let Some(found) = found.filter(|found| reach.files.is_file(found.node)) {
            reach.claim_found(&found, Evidence::Needed, "command of", Some(manifest));
        }
        command::argument(reach, word.as_bytes(), Some(manifest));
    }
    script::text(reach, manifest, text.as_bytes(), "run by")
}
