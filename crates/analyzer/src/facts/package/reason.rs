//! Who depends on whom, and why packages are there: as `apt-get autoremove` and `apk` tell what may
//! go, from what was asked for along what it depends on and recommends.

use std::mem::take;

use hashbrown::HashMap;

use crate::facts::package::{Ecosystem, Leads, Package, Packages, Reason};
use crate::limits::PROVIDERS_MAX;

/// By ecosystem and name, what has the name or stands for it.
type Providers<'a> = HashMap<(Ecosystem, &'a str), Vec<u32>>;

/// Finds the dependants and reasons of all packages.
pub(super) fn relate(packages: &mut Packages) {
    let by_place = packages.all.iter_mut().map(|package| take(&mut package.by_place)).collect();
    let leads = leads(&packages.all, by_place);
    let mut dependants: Vec<Vec<u32>> = vec![Vec::new(); packages.all.len()];
    for (at, leads) in (0_u32..).zip(&leads) {
        for on in &leads.depends {
            if dependants[*on as usize].last() != Some(&at) {
                dependants[*on as usize].push(at);
            }
        }
    }
    let asked = |package: &Package| package.is_essential || package.reason == Reason::Asked;
    let mut depended = vec![false; packages.all.len()];
    let roots = packages.all.iter().map(asked);
    spread(roots, &mut depended, |at| leads[at].depends.iter());
    let mut recommended = vec![false; packages.all.len()];
    let roots = depended.clone().into_iter();
    let all = |at: usize| leads[at].depends.iter().chain(&leads[at].recommends);
    spread(roots, &mut recommended, all);
    for (at, package) in packages.all.iter_mut().enumerate() {
        package.reason = if !package.reason_is_told {
            if dependants[at].is_empty() { Reason::Asked } else { Reason::Dependency }
        } else if asked(package) {
            Reason::Asked
        } else if depended[at] {
            Reason::Dependency
        } else if recommended[at] {
            Reason::Recommended
        } else {
            Reason::Orphan
        };
    }
    packages.dependants = dependants;
    packages.leads = leads;
}

/// Marks the roots and all that they lead to.
fn spread<'a, I: Iterator<Item = &'a u32>>(
    roots: impl Iterator<Item = bool>,
    marked: &mut [bool],
    leads: impl Fn(usize) -> I,
) {
    let mut open: Vec<usize> = roots.enumerate().filter(|root| root.1).map(|root| root.0).collect();
    for root in &open {
        marked[*root] = true;
    }
    while let Some(at) = open.pop() {
        for on in leads(at) {
            let on = *on as usize;
            if !marked[on] {
                marked[on] = true;
                open.push(on);
            }
        }
    }
}

/// What each package leads to: by the place where it stands, which is told already, and by name.
fn leads(all: &[Package], mut leads: Vec<Leads>) -> Vec<Leads> {
    let mut by_name: Providers<'_> = HashMap::new();
    for (at, package) in (0_u32..).zip(all) {
        for name in std::iter::once(&package.name).chain(&package.provides) {
            let providers = by_name.entry((package.ecosystem, name.as_str())).or_default();
            if providers.len() < PROVIDERS_MAX && providers.last() != Some(&at) {
                providers.push(at);
            }
        }
    }
    for (at, package) in (0_u32..).zip(all) {
        if package.ecosystem.is_found_by_place() {
            continue;
        }
        let found = |names: &mut dyn Iterator<Item = &String>| -> Vec<u32> {
            names
                .filter_map(|name| by_name.get(&(package.ecosystem, name.as_str())))
                .flatten()
                .copied()
                .filter(|on| *on != at)
                .collect()
        };
        let own = &mut leads[at as usize];
        own.depends.extend(found(&mut package.depends.iter().flatten()));
        own.recommends.extend(found(&mut package.recommends.iter().flatten()));
        // As long as all that brought it are there, each leads to it.
        let is_there = |name: &String| by_name.contains_key(&(package.ecosystem, name.as_str()));
        if package.brought_by.iter().all(is_there) {
            for by in found(&mut package.brought_by.iter()) {
                leads[by as usize].recommends.push(at);
            }
        }
    }
    leads
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packages by name, what they depend on and recommend; those with a star were asked for.
    fn reasons(rows: &[(&str, &[&str], &[&str])]) -> Vec<(String, Reason)> {
        let mut packages = Packages::default();
        for (name, depends, recommends) in rows {
            let bare = name.trim_start_matches('*');
            let names = |names: &[&str]| names.iter().map(|n| vec![(*n).to_owned()]).collect();
            packages.all.push(Package {
                reason: if bare == *name { Reason::Dependency } else { Reason::Asked },
                reason_is_told: true,
                depends: names(depends),
                recommends: names(recommends),
                ..Package::new(Ecosystem::Dpkg, bare.to_owned())
            });
        }
        relate(&mut packages);
        packages.all.into_iter().map(|package| (package.name, package.reason)).collect()
    }

    #[test]
    fn what_only_orphans_depend_on_is_an_orphan_too() {
        let found = reasons(&[
            ("*a", &["b"], &["c"]),
            ("b", &[], &[]),
            ("c", &["d"], &[]),
            ("d", &[], &[]),
            ("o", &["p", "b"], &[]),
            ("p", &[], &["q"]),
            ("q", &[], &[]),
            // They keep each other.
            ("x", &["y"], &[]),
            ("y", &["x"], &[]),
        ]);
        let of = |reason| {
            let rows = found.iter().filter(|row| row.1 == reason);
            rows.map(|row| row.0.as_str()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of(Reason::Asked), "a");
        assert_eq!(of(Reason::Dependency), "b");
        assert_eq!(of(Reason::Recommended), "c d");
        assert_eq!(of(Reason::Orphan), "o p q x y");
    }
}
