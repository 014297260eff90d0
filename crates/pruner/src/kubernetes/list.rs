//! A whole list, page by page.

use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::page::{self, Page};
use super::request::Failure;
use super::{Api, Resource};
use crate::Result;

/// Objects of a page, as many as kubectl asks for.
const PAGE_ITEMS: usize = 500;
/// How often a list is begun again whose past the server has forgotten.
const RESTARTS_MAX: usize = 2;
/// The most pages of one list: a million objects, six times the pods that Kubernetes is made for.
const PAGES_MAX: usize = 2000;

/// What a value in a query is written with as it is (RFC 3986's unreserved characters).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What ends the reading of a list.
enum End {
    /// It has to be begun again, as the server no longer knows the moment that it was begun at.
    Moved,
    Failed(crate::Error),
}

impl Api {
    /// What `read` makes of all objects that the server lists of `resource`, in all namespaces.
    ///
    /// The server is not asked for what it has in memory (`resourceVersion=0`), which may be old.
    pub(super) async fn list<T>(
        &self,
        resource: Resource,
        selector: Option<&str>,
        read: impl Fn(&Value) -> Result<T, String>,
    ) -> Result<Vec<T>> {
        for _ in 0..=RESTARTS_MAX {
            match self.list_once(resource, selector, &read).await {
                Ok(list) => return Ok(list),
                Err(End::Moved) => {}
                Err(End::Failed(error)) => return Err(error),
            }
        }
        Err(self.refused(&format!(
            "forgot a list of {} before it was read to its end (410 Gone or another \
             resourceVersion), {} times: try again when it has less to do",
            resource.plural,
            RESTARTS_MAX + 1
        )))
    }

    async fn list_once<T>(
        &self,
        resource: Resource,
        selector: Option<&str>,
        read: impl Fn(&Value) -> Result<T, String>,
    ) -> Result<Vec<T>, End> {
        let distrusted = |because: &str| {
            End::Failed(self.refused(&format!(
                "gives a list of {} that cannot be trusted: {because}",
                resource.plural
            )))
        };
        let mut list = Vec::new();
        let mut seen = BTreeSet::new();
        let mut moment = None;
        let mut next: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let target = target(resource, selector, next.as_deref());
            let body = self.get(resource, &target).await.map_err(|failure| match failure {
                Failure::Gone => End::Moved,
                Failure::Refused(error) => End::Failed(error),
            })?;
            let page = page::parse(resource, &body)
                .map_err(|because| distrusted(&format!("it {because}")))?;
            let Page { items, next: after, revision } = page;
            // All pages are of the moment of the first.
            if moment.get_or_insert_with(|| revision.clone()) != &revision {
                return Err(End::Moved);
            }
            for item in &items {
                list.push(read(item).map_err(|because| distrusted(&because))?);
            }
            let Some(token) = after else { return Ok(list) };
            if !seen.insert(token.clone()) {
                return Err(distrusted("it goes round in circles (a continue token came twice)"));
            }
            next = Some(token);
        }
        Err(distrusted(&format!("it does not end after {PAGES_MAX} pages")))
    }
}

fn target(resource: Resource, selector: Option<&str>, next: Option<&str>) -> String {
    let mut target = format!("{}?limit={PAGE_ITEMS}", resource.path());
    for (name, value) in [("fieldSelector", selector), ("continue", next)] {
        if let Some(value) = value {
            target.push('&');
            target.push_str(name);
            target.push('=');
            target.extend(utf8_percent_encode(value, ESCAPED));
        }
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for() {
        assert_eq!(target(Resource::PODS, None, None), "/api/v1/pods?limit=500");
        assert_eq!(
            target(Resource::PODS, Some("spec.nodeName=n-1.local"), Some("a+/&=é")),
            "/api/v1/pods?limit=500&fieldSelector=spec.nodeName%3Dn-1.local\
             &continue=a%2B%2F%26%3D%C3%A9"
        );
    }
}
