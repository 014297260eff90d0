//! OpenSSL: its configuration, and engines and providers that it names. Those that stand beside
//! the library are kept whole by [`super::convention`].

use crate::error::Result;
use crate::facts::configuration::ini;
use crate::facts::evidence::Evidence;
use crate::facts::reach::{Reach, command};
use crate::tree::NodeId;

const CONFIGURATIONS: [&[u8]; 6] = [
    b"etc/ssl/openssl.cnf",
    b"etc/pki/tls/openssl.cnf",
    b"usr/lib/ssl/openssl.cnf",
    b"usr/local/ssl/openssl.cnf",
    b"usr/local/lib/ssl/openssl.cnf",
    b"usr/local/etc/ssl/openssl.cnf",
];

/// Claims what the configuration of the library or program at `node` names.
pub(super) fn started(reach: &mut Reach<'_>, node: NodeId) -> Result<()> {
    for variable in ["OPENSSL_MODULES", "OPENSSL_ENGINES"] {
        let Some(path) = reach.environment.get(variable).map(<[u8]>::to_vec) else { continue };
        if let Some(found) = reach.files.find(&path)
            && command::is_small(reach, found.node)
        {
            reach.claim_below(found.node, Evidence::Named, "plugin of", Some(node));
        }
    }
    let own = reach.environment.get("OPENSSL_CONF").map(<[u8]>::to_vec);
    let places = own.into_iter().chain(CONFIGURATIONS.iter().map(|path| path.to_vec()));
    for place in places.collect::<Vec<_>>() {
        let Some(found) = reach.files.file(&place) else { continue };
        reach.claim_found(&found, Evidence::Named, "configuration of", Some(node));
        let Some(content) = reach.files.content(found.node)? else { continue };
        // `dynamic_path = /usr/lib/engines-3/pkcs11.so`, `.include /etc/ssl/fipsmodule.cnf`.
        for row in ini::rows(content.text()) {
            let named = reach.files.file(&row.value).filter(|_| row.value.starts_with(b"/"));
            if let Some(named) = named {
                reach.claim_found(&named, Evidence::Named, "path in", Some(found.node));
            }
        }
    }
    Ok(())
}
