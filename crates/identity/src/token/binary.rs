//! The inside of a token, before it is sealed: fixed fields, then those of varying length.
//!
//! ```text
//! kind 1 | principal 16 | epoch 4 | issued 8 | expires 8 | id 16 | method 1 [+16] | audience 1+n | scopes
//! scopes: 255 (all) or a number 0..=32 of: actions 1 (0: catalog) [| name 1+n]
//! ```
//!
//! Numbers are big-endian. Only what this server sealed is ever read here; every byte is checked all the same.

use boltseal_model::Timestamp;
use uuid::Uuid;

use super::{Claims, Grant, Kind, Method, TokenId};
use crate::registry_scope::{Actions, MAX_SCOPES, RegistryScope, RegistryScopes};

/// In place of a number of scopes: whatever the principal may do.
const ALL: u8 = u8::MAX;

/// `None` where something is too long for its length byte, or there are too many scopes.
pub(super) fn write(claims: &Claims) -> Option<Vec<u8>> {
    let Claims { id, issued, expires, grant } = claims;
    let mut out = Vec::with_capacity(128);
    out.push(kind_code(grant.kind));
    out.extend_from_slice(grant.principal.as_bytes());
    out.extend_from_slice(&grant.epoch.to_be_bytes());
    out.extend_from_slice(&issued.as_second().to_be_bytes());
    out.extend_from_slice(&expires.as_second().to_be_bytes());
    out.extend_from_slice(id.bytes());
    let (code, about) = method_code(grant.method);
    out.push(code);
    if let Some(about) = about {
        out.extend_from_slice(about.as_bytes());
    }
    write_text(&mut out, &grant.audience)?;
    match &grant.scopes {
        RegistryScopes::All => out.push(ALL),
        RegistryScopes::Listed(list) => {
            out.push(u8::try_from(list.len()).ok().filter(|_| list.len() <= MAX_SCOPES)?);
            for scope in list {
                write_scope(&mut out, scope)?;
            }
        }
    }
    Some(out)
}

/// `None` where the bytes are not what [`write`] makes.
pub(super) fn read(bytes: &[u8]) -> Option<Claims> {
    let mut rest = Rest(bytes);
    let kind = kind_of(rest.byte()?)?;
    let principal = Uuid::from_bytes(rest.array()?);
    let epoch = u32::from_be_bytes(rest.array()?);
    let issued = Timestamp::from_second(i64::from_be_bytes(rest.array()?)).ok()?;
    let expires = Timestamp::from_second(i64::from_be_bytes(rest.array()?)).ok()?;
    let id = TokenId::new(rest.array()?);
    let method = read_method(&mut rest)?;
    let audience = rest.text()?;
    let scopes = match rest.byte()? {
        ALL => RegistryScopes::All,
        count if usize::from(count) <= MAX_SCOPES => {
            RegistryScopes::Listed((0..count).map(|_| read_scope(&mut rest)).collect::<Option<_>>()?)
        }
        _ => return None,
    };
    let grant = Grant { kind, principal, epoch, method, audience, scopes };
    rest.0.is_empty().then_some(Claims { id, issued, expires, grant })
}

fn write_text(out: &mut Vec<u8>, text: &str) -> Option<()> {
    out.push(u8::try_from(text.len()).ok()?);
    out.extend_from_slice(text.as_bytes());
    Some(())
}

fn write_scope(out: &mut Vec<u8>, scope: &RegistryScope) -> Option<()> {
    match scope {
        RegistryScope::Catalog => {
            out.push(0);
            Some(())
        }
        RegistryScope::Repository { name, actions } => {
            out.push(actions.bits());
            write_text(out, name)
        }
    }
}

fn read_scope(rest: &mut Rest<'_>) -> Option<RegistryScope> {
    match rest.byte()? {
        0 => Some(RegistryScope::Catalog),
        bits => RegistryScope::repository(&rest.text()?, Actions::from_bits(bits)?),
    }
}

const fn kind_code(kind: Kind) -> u8 {
    match kind {
        Kind::Access => 1,
        Kind::Refresh => 2,
        Kind::Session => 3,
        Kind::Link => 4,
    }
}

fn kind_of(code: u8) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind_code(*kind) == code)
}

const fn method_code(method: Method) -> (u8, Option<Uuid>) {
    match method {
        Method::Anonymous => (0, None),
        Method::Password => (1, None),
        Method::PasswordAndTotp => (2, None),
        Method::PasswordAndRecovery => (3, None),
        Method::Secret(id) => (4, Some(id)),
        Method::Certificate => (5, None),
        Method::Federation(id) => (6, Some(id)),
        Method::Link => (7, None),
        Method::Shares => (8, None),
        Method::Node(id) => (9, Some(id)),
    }
}

fn read_method(rest: &mut Rest<'_>) -> Option<Method> {
    Some(match rest.byte()? {
        0 => Method::Anonymous,
        1 => Method::Password,
        2 => Method::PasswordAndTotp,
        3 => Method::PasswordAndRecovery,
        4 => Method::Secret(Uuid::from_bytes(rest.array()?)),
        5 => Method::Certificate,
        6 => Method::Federation(Uuid::from_bytes(rest.array()?)),
        7 => Method::Link,
        8 => Method::Shares,
        9 => Method::Node(Uuid::from_bytes(rest.array()?)),
        _ => return None,
    })
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk()?;
        self.0 = tail;
        Some(*head)
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::from(self.byte()?);
        let (head, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        std::str::from_utf8(head).ok().map(str::to_owned)
    }
}
