//! PHP: extensions that its configuration loads, and the applications that it runs. Those include
//! their parts by names made while they run: the tree around an entry is kept whole, and of its
//! `vendor` the packages that Composer's maps load from.

use crate::content::{self, Php};
use crate::entry::split;
use crate::error::Result;
use crate::facts::configuration::{composer, document_root, php_ini};
use crate::facts::evidence::Evidence;
use crate::facts::reach::{Blind, Reach, Whole, application, command};
use crate::limits::BELOW_MAX;
use crate::tree::NodeId;

/// Configurations of the official images, Debian, Alpine and Red Hat, those of pools among them.
const CONFIGURATIONS: [&[u8]; 12] = [
    b"usr/local/etc/php/php.ini",
    b"usr/local/etc/php/conf.d/*.ini",
    b"usr/local/etc/php-fpm.conf",
    b"usr/local/etc/php-fpm.d/*.conf",
    b"etc/php/*/*/php.ini",
    b"etc/php/*/*/conf.d/*.ini",
    b"etc/php/*/fpm/pool.d/*.conf",
    b"etc/php*/php.ini",
    b"etc/php*/conf.d/*.ini",
    b"etc/php*/php-fpm.d/*.conf",
    b"etc/php.ini",
    b"etc/php.d/*.ini",
];
/// Directories of extensions where nothing else is configured.
const EXTENSIONS: [&[u8]; 6] = [
    b"usr/local/lib/php/extensions/*",
    b"usr/lib/php/2*",
    b"usr/lib/php*/modules",
    b"usr/lib64/php*/modules",
    b"usr/lib64/php-zts/modules",
    b"opt/*/lib/php/extensions/*",
];
/// Configurations of web servers in front of php-fpm.
const SERVERS: [&[u8]; 7] = [
    b"etc/nginx/*.conf",
    b"etc/nginx/*/*",
    b"etc/apache2/*.conf",
    b"etc/apache2/*/*.conf",
    b"etc/httpd/*/*.conf",
    b"etc/caddy/*",
    b"usr/local/apache2/conf/*.conf",
];
/// Where images have their sites.
const ROOTS: [&[u8]; 6] =
    [b"var/www/html", b"var/www", b"app", b"srv/www", b"usr/share/nginx/html", b"srv/app"];
/// Files and directories that mark the top of an application.
const MARKS: [&[u8]; 5] =
    [b"composer.json", b"vendor", b"artisan", b"wp-config.php", b"wp-load.php"];
/// `include_path` where nothing is configured.
const INCLUDE_PATH: [&[u8]; 3] = [b"usr/local/lib/php", b"usr/share/php", b"usr/share/pear"];

/// The tops of applications that are kept.
#[derive(Default)]
pub(super) struct Applications {
    tops: Vec<NodeId>,
    /// `include_path` of the configuration.
    include_path: Vec<NodeId>,
}

/// Claims what any PHP reads at its start: its configuration and the extensions in it.
pub(super) fn started(reach: &mut Reach<'_>, node: NodeId) -> Result<()> {
    reach.languages.entry(Blind::Php).or_insert(node);
    configuration(reach, node).map(|_| ())
}

/// Claims the same for a server, and the sites that it serves.
pub(super) fn server(reach: &mut Reach<'_>, node: NodeId) -> Result<()> {
    started(reach, node)?;
    let mut roots = configuration(reach, node)?;
    for pattern in SERVERS {
        for found in reach.files.matching(pattern) {
            let Some(content) = reach.files.content(found.node)? else { continue };
            roots.extend(document_root::read(content.text()));
        }
    }
    let variables = reach.environment.all();
    let in_environment =
        variables.filter(|(name, _)| memchr::memmem::find(name, b"ROOT").is_some());
    roots.extend(in_environment.map(|(_, value)| value.to_vec()));
    roots.extend(ROOTS.iter().map(|root| root.to_vec()));
    let working = reach.environment.working_directory(reach.files);
    let mut found: Vec<NodeId> =
        roots.iter().filter_map(|root| reach.files.find(root)).map(|found| found.node).collect();
    found.push(working);
    for root in found {
        if has_php(reach, root) {
            reach.entered.insert(Blind::Php);
            tree(reach, root, node)?;
        }
    }
    Ok(())
}

/// Whether a directory is one of a site: a front controller stands in it.
fn has_php(reach: &Reach<'_>, root: NodeId) -> bool {
    let is_site = |child: NodeId| {
        let name = reach.files.tree().name(child);
        name.ends_with(b".php") || MARKS.contains(&name)
    };
    command::is_small(reach, root) && reach.files.tree().children(root).any(is_site)
}

/// Claims the application around a directory.
fn tree(reach: &mut Reach<'_>, directory: NodeId, from: NodeId) -> Result<()> {
    let top = application::top(reach, directory, &MARKS).unwrap_or(directory);
    let top = if command::is_small(reach, top) { top } else { directory };
    if !reach.applications.tops.contains(&top) {
        reach.applications.tops.push(top);
    }
    application::claim(reach, top, &[b"vendor"], from);
    let Some(vendor) = reach.files.tree().child(top, b"vendor") else { return Ok(()) };
    if !reach.begins(Whole::Vendor, vendor, from) {
        return Ok(());
    }
    let mut packages = std::collections::BTreeSet::new();
    if let Some(maps) = reach.files.tree().child(vendor, b"composer") {
        for map in reach.files.sorted_children(maps) {
            reach.claim(map, Evidence::Named, "autoload map of", Some(from));
            let Some(content) = reach.files.content(map)? else { continue };
            packages.extend(composer::packages(content.text()));
        }
    }
    let mut tops: Vec<NodeId> = packages
        .iter()
        .filter_map(|package| reach.files.find_from(vendor, package))
        .map(|found| found.node)
        .collect();
    if tops.is_empty() {
        tops.push(vendor);
    }
    for child in reach.files.sorted_children(vendor) {
        if reach.files.is_file(child) {
            reach.claim(child, Evidence::Named, "autoload map of", Some(from));
        }
    }
    for top in tops {
        let how = "of a package that is loaded by";
        reach.keep_below(top, BELOW_MAX, Evidence::Named, how, from);
    }
    Ok(())
}

/// What `php ARGUMENTS` runs.
pub(super) fn command(reach: &mut Reach<'_>, arguments: &[Vec<u8>], program: NodeId) -> Result<()> {
    let working = reach.environment.working_directory(reach.files);
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match &word[..] {
            b"-r" => {
                reach.entered.insert(Blind::Php);
                let Some(text) = rest.next() else { break };
                includes(reach, program, Some(working), &content::php::scan(text));
                return Ok(());
            }
            b"-S" => {
                _ = rest.next();
                reach.entered.insert(Blind::Php);
                tree(reach, working, program)?;
            }
            b"-t" => {
                let root = rest.next().and_then(|path| reach.environment.path(reach.files, path));
                if let Some(root) = root {
                    tree(reach, root.node, program)?;
                }
            }
            b"-d" | b"-z" => {
                let Some(setting) = rest.next() else { break };
                let found = php_ini::read(setting);
                load(reach, &found, &[], program);
            }
            b"-c" => {
                let Some(path) = rest.next() else { break };
                command::argument(reach, path, Some(program));
            }
            b"-f" | b"-F" | b"-B" | b"-R" | b"-E" => {}
            option if option.starts_with(b"-") => {}
            _ => {
                reach.entered.insert(Blind::Php);
                if let Some(found) = reach.environment.path(reach.files, word) {
                    reach.claim_found(&found, Evidence::Needed, "script of", Some(program));
                    if reach.files.content(found.node)?.is_none() {
                        reach.blind.insert((Blind::Php, found.node));
                    }
                    if let Some(directory) = reach.files.tree().parent(found.node) {
                        tree(reach, directory, program)?;
                    }
                }
                for word in rest {
                    command::argument(reach, word, Some(program));
                }
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Claims what a file includes.
pub(super) fn visit(reach: &mut Reach<'_>, node: NodeId, file: &Php) -> Result<()> {
    let directory = reach.files.tree().parent(node);
    includes(reach, node, directory, file);
    let tops = &reach.applications.tops;
    let files = reach.files.tree();
    let is_kept =
        std::iter::successors(Some(node), |at| files.parent(*at)).any(|at| tops.contains(&at));
    if file.dynamic && !is_kept {
        reach.blind.insert((Blind::Php, node));
        // An application outside of what a server or a command line names.
        if let Some(top) = directory.and_then(|at| application::top(reach, at, &MARKS))
            && command::is_small(reach, top)
        {
            tree(reach, top, node)?;
        }
    }
    Ok(())
}

fn includes(reach: &mut Reach<'_>, node: NodeId, directory: Option<NodeId>, file: &Php) {
    let mut places: Vec<NodeId> = directory.into_iter().collect();
    places.push(reach.environment.working_directory(reach.files));
    places.extend(&reach.applications.include_path);
    places.extend(INCLUDE_PATH.iter().filter_map(|path| reach.files.find(path)).map(|f| f.node));
    for path in &file.includes {
        for place in &places {
            let found = reach.files.find_from(*place, path.as_bytes());
            if let Some(found) = found.filter(|found| reach.files.is_file(found.node)) {
                reach.claim_found(&found, Evidence::Needed, "included by", Some(node));
            }
        }
    }
    for path in &file.beside {
        let found = directory.and_then(|at| reach.files.find_from(at, path.as_bytes()));
        let Some(found) = found else { continue };
        if reach.files.is_file(found.node) {
            reach.claim_found(&found, Evidence::Needed, "included by", Some(node));
        } else if Some(found.node) != directory && command::is_small(reach, found.node) {
            reach.claim_below(found.node, Evidence::Named, "below a path named in", Some(node));
        }
    }
}

/// Claims every configuration and what it loads; gives the directories of code that it names.
fn configuration(reach: &mut Reach<'_>, node: NodeId) -> Result<Vec<Vec<u8>>> {
    let mut patterns: Vec<Vec<u8>> = CONFIGURATIONS.iter().map(|path| path.to_vec()).collect();
    for directory in reach.environment.list("PHP_INI_SCAN_DIR") {
        patterns.push([&directory[..], b"/*.ini"].concat());
    }
    if let Some(directory) = reach.environment.get("PHP_INI_DIR") {
        patterns.push([directory, b"/php.ini"].concat());
        patterns.push([directory, b"/conf.d/*.ini"].concat());
    }
    let files: Vec<_> = patterns.iter().flat_map(|pattern| reach.files.matching(pattern)).collect();
    let mut read = Vec::new();
    let mut directories: Vec<Vec<u8>> = Vec::new();
    for found in files {
        if !reach.files.is_file(found.node) {
            continue;
        }
        reach.claim_found(&found, Evidence::Named, "configuration of", Some(node));
        let Some(content) = reach.files.content(found.node)? else { continue };
        let ini = php_ini::read(content.text());
        directories.extend(ini.directories.iter().cloned());
        read.push((found.node, ini));
    }
    let mut roots = Vec::new();
    for (node, ini) in read {
        load(reach, &ini, &directories, node);
        roots.extend(ini.roots);
    }
    let include: Vec<NodeId> =
        roots.iter().filter_map(|path| reach.files.find(path)).map(|found| found.node).collect();
    reach.applications.include_path.extend(include);
    reach.applications.include_path.sort_unstable();
    reach.applications.include_path.dedup();
    Ok(roots)
}

/// Claims the extensions of a configuration, and the paths in it.
fn load(reach: &mut Reach<'_>, ini: &php_ini::PhpIni, directories: &[Vec<u8>], from: NodeId) {
    let mut places: Vec<NodeId> = Vec::new();
    for pattern in directories.iter().map(Vec::as_slice).chain(EXTENSIONS) {
        places.extend(reach.files.matching(pattern).into_iter().map(|found| found.node));
    }
    for extension in &ini.extensions {
        // `intl`, `intl.so`, `/path/intl.so`.
        let name = split(extension).1;
        let file = if name.ends_with(b".so") {
            extension.clone()
        } else {
            [extension, &b".so"[..]].concat()
        };
        for place in &places {
            let found = reach.files.find_from(*place, &file);
            if let Some(found) = found.filter(|found| reach.files.is_file(found.node)) {
                reach.claim_found(&found, Evidence::Needed, "extension of", Some(from));
            }
        }
    }
    for path in &ini.paths {
        if let Some(found) = reach.files.file(path) {
            reach.claim_found(&found, Evidence::Named, "path in", Some(from));
        }
    }
}
