//! Internal tokens: what opens, what does not, and why.

use boltseal_identity::{
    jwks::Jwks,
    jwt::{Expected, Unverified},
    registry_scope::{Actions, RegistryScope, RegistryScopes},
    seal::{Keys, MAX_SEALED, Purpose, RootKey, SealError},
    token::{Full, Grant, Kind, MAX_REVOKED, MAX_TOKEN, Method, Revoked, TokenError, TokenId},
};
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::{NOW, at};

fn keys() -> Keys {
    Keys::new(&RootKey::new([7; 32]), None).unwrap()
}

fn grant(kind: Kind) -> Grant {
    let scopes = RegistryScope::parse_all(["repository:team/app:pull,push registry:catalog:*"]);
    Grant {
        kind,
        principal: Uuid::from_u128(42),
        epoch: 3,
        method: Method::Secret(Uuid::from_u128(43)),
        audience: "registry.example.com".to_owned(),
        scopes: RegistryScopes::Listed(scopes),
    }
}

#[test]
fn a_token_opens_until_it_expires() {
    let keys = keys();
    let issued = keys.issue(grant(Kind::Access), Kind::Access.life(), at(0)).unwrap();
    let open =
        |seconds| keys.open_token(issued.token.expose(), Kind::Access, "registry.example.com", at(seconds));
    let claims = open(0).unwrap();
    assert_eq!(claims, issued.claims);
    assert_eq!(claims.grant, grant(Kind::Access));
    assert!(claims.is_outdated(4) && !claims.is_outdated(3));
    assert_eq!(claims.seconds_left(at(60)), 1740);
    assert!(open(1799).is_ok());
    assert_eq!(open(1800), Err(TokenError::Expired { at: at(1800) }));
    assert!(open(-60).is_ok(), "clocks may differ");
    assert_eq!(open(-61), Err(TokenError::NotYet { at: at(0) }));
    assert!(!format!("{issued:?}").contains(issued.token.expose()));
}

#[test]
fn no_kind_and_no_audience_passes_for_another() {
    let keys = keys();
    for made in Kind::ALL {
        let issued = keys.issue(grant(made), 60, at(0)).unwrap();
        for asked in Kind::ALL {
            let opened = keys.open_token(issued.token.expose(), asked, "registry.example.com", at(0));
            if made == asked {
                assert!(opened.is_ok());
            } else {
                assert_eq!(opened, Err(TokenError::Kind { wanted: asked, found: made }));
            }
        }
        for other in ["", "registry.example.com ", "Registry.example.com", "registry.example.co"] {
            let wanted =
                TokenError::Audience { wanted: other.to_owned(), found: "registry.example.com".to_owned() };
            assert_eq!(keys.open_token(issued.token.expose(), made, other, at(0)), Err(wanted));
        }
    }
}

#[test]
fn every_changed_byte_is_found() {
    let keys = keys();
    let issued = keys.issue(grant(Kind::Access), 60, at(0)).unwrap();
    let token = issued.token.expose();
    for place in 0..token.len() {
        for with in [b'A', b'B', b'_', b' '] {
            let mut forged = token.as_bytes().to_vec();
            if forged[place] == with {
                continue;
            }
            forged[place] = with;
            let forged = String::from_utf8(forged).unwrap();
            let opened = keys.open_token(&forged, Kind::Access, "registry.example.com", at(0));
            assert!(
                matches!(opened, Err(TokenError::Malformed | TokenError::NotOurs)),
                "changed at {place}: {opened:?}"
            );
        }
        assert!(keys.open_token(&token[..place], Kind::Access, "registry.example.com", at(0)).is_err());
    }
    for foreign in ["", "bst_", "bsl_AAAA", "bst_äöü", "bst_AA==", &format!("bst_{}", "A".repeat(100_000))]
    {
        assert!(keys.open_token(foreign, Kind::Access, "registry.example.com", at(0)).is_err(), "{foreign}");
    }
    let longer = format!("{token}AAAA");
    assert!(keys.open_token(&longer, Kind::Access, "registry.example.com", at(0)).is_err());
}

#[test]
fn a_rotated_key_opens_once_more() {
    let roots = [1, 2, 3].map(|byte| RootKey::new([byte; 32]));
    let issued = Keys::new(&roots[0], None).unwrap().issue(grant(Kind::Access), 60, at(0)).unwrap();
    let open =
        |keys: Keys| keys.open_token(issued.token.expose(), Kind::Access, "registry.example.com", at(0));
    assert!(open(Keys::new(&roots[1], Some(&roots[0])).unwrap()).is_ok());
    assert_eq!(open(Keys::new(&roots[2], Some(&roots[1])).unwrap()), Err(TokenError::NotOurs));
    assert_eq!(open(Keys::new(&roots[1], None).unwrap()), Err(TokenError::NotOurs));
}

#[test]
fn what_is_sealed_for_one_purpose_or_context_opens_for_no_other() {
    let keys = keys();
    let sealed = keys.seal(Purpose::Cookie, b"text", b"context").unwrap();
    assert_eq!(keys.open(Purpose::Cookie, &sealed, b"context").unwrap().as_slice(), b"text");
    assert_eq!(keys.open(Purpose::Cookie, &sealed, b"other"), Err(SealError::NotOurs));
    for purpose in [Purpose::Token, Purpose::Totp] {
        assert_eq!(keys.open(purpose, &sealed, b"context"), Err(SealError::NotOurs));
    }
    for short in 0..sealed.len() {
        assert_eq!(keys.open(Purpose::Cookie, &sealed[..short], b"context"), Err(SealError::NotOurs));
    }
    assert_ne!(keys.seal(Purpose::Cookie, b"text", b"context").unwrap(), sealed, "a nonce repeats");
    assert!(matches!(keys.seal(Purpose::Cookie, &vec![0; MAX_SEALED], b""), Err(SealError::TooLarge { .. })));
    assert!(matches!(
        keys.open(Purpose::Cookie, &vec![0; MAX_SEALED + 1], b""),
        Err(SealError::TooLarge { .. })
    ));
}

#[test]
fn lives_and_lengths_are_bounded() {
    let keys = keys();
    for kind in Kind::ALL {
        assert!(kind.life() <= kind.longest_life());
        assert!(keys.issue(grant(kind), kind.longest_life(), at(0)).is_ok());
        for life in [i64::MIN, -1, 0, kind.longest_life() + 1, i64::MAX] {
            assert!(
                matches!(keys.issue(grant(kind), life, at(0)), Err(TokenError::Life { .. })),
                "{kind} {life}"
            );
        }
    }
    let name = |n: usize| format!("{}/{n}", "x".repeat(200));
    let many: Vec<String> = (0..32).map(|n| format!("repository:{}:pull", name(n))).collect();
    let scopes = RegistryScopes::Listed(RegistryScope::parse_all(many.iter().map(String::as_str)));
    let long = Grant { scopes, ..grant(Kind::Access) };
    assert_eq!(keys.issue(long, 60, at(0)).unwrap_err(), TokenError::TooLong);
    let long = Grant { audience: "x".repeat(256), ..grant(Kind::Access) };
    assert_eq!(keys.issue(long, 60, at(0)).unwrap_err(), TokenError::TooLong);
    let fits: Vec<String> =
        (0..32).map(|n| format!("repository:team-with-a-long-name/app-{n}:pull,push")).collect();
    let scopes = RegistryScopes::Listed(RegistryScope::parse_all(fits.iter().map(String::as_str)));
    let token = keys.issue(Grant { scopes, ..grant(Kind::Access) }, 60, at(0)).unwrap().token;
    assert!(token.expose().len() < MAX_TOKEN);
}

#[test]
fn revoked_tokens_are_remembered_until_they_expire() {
    let mut revoked = Revoked::new();
    let id = |n: usize| TokenId::new(u128::try_from(n).unwrap().to_be_bytes());
    revoked.add(id(0), at(10), at(0)).unwrap();
    revoked.add(id(0), at(10), at(0)).unwrap();
    assert!(revoked.has(id(0)) && !revoked.has(id(1)));
    for n in 1..MAX_REVOKED {
        revoked.add(id(n), at(100), at(1)).unwrap();
    }
    assert_eq!(revoked.add(id(MAX_REVOKED), at(100), at(10)), Err(Full { limit: MAX_REVOKED }));
    assert!(revoked.has(id(0)), "forgotten while the token still works");
    revoked.add(id(MAX_REVOKED), at(100), at(11)).unwrap();
    assert!(!revoked.has(id(0)) && revoked.has(id(MAX_REVOKED)));
}

#[test]
fn our_jwts_are_verified_by_our_key_set() {
    let (old, new) = (RootKey::new([1; 32]), RootKey::new([2; 32]));
    let keys = Keys::new(&old, None).unwrap();
    let claims =
        json!({ "iss": "https://seal.example.com", "aud": "a", "sub": "ann", "exp": NOW + 60, "iat": NOW });
    let jwt = keys.issue_jwt(claims.as_object().unwrap()).unwrap();
    let expected = Expected { issuer: "https://seal.example.com", audiences: &["a"] };
    let verify = |keys: &Keys| {
        let jwks = Jwks::parse(keys.jwks().to_string().as_bytes()).unwrap();
        Unverified::parse(jwt.expose()).unwrap().verify(&jwks, &expected, at(0))
    };
    assert_eq!(verify(&keys).unwrap().claims.subject(), "ann");
    assert!(verify(&Keys::new(&new, Some(&old)).unwrap()).is_ok(), "rotated once");
    assert!(verify(&Keys::new(&new, None).unwrap()).is_err());
    assert_eq!(keys.jwks(), Keys::new(&old, None).unwrap().jwks(), "replicas have one key");
}

fn methods() -> impl Strategy<Value = Method> {
    let id = any::<u128>().prop_map(Uuid::from_u128);
    prop_oneof![
        Just(Method::Anonymous),
        Just(Method::Password),
        Just(Method::PasswordAndTotp),
        Just(Method::PasswordAndRecovery),
        id.clone().prop_map(Method::Secret),
        Just(Method::Certificate),
        id.clone().prop_map(Method::Federation),
        id.prop_map(Method::Node),
        Just(Method::Link),
        Just(Method::Shares),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(
        kind in proptest::sample::select(&Kind::ALL[..]),
        principal: u128,
        epoch: u32,
        method in methods(),
        audience in "\\PC{0,60}",
        scopes in proptest::option::of(proptest::collection::vec(("[a-z0-9]{1,20}", 0_u8..32), 0..8)),
    ) {
        let scopes = scopes.map_or(RegistryScopes::All, |list| {
            RegistryScopes::Listed(list.into_iter().map(|(name, bits)| {
                RegistryScope::repository(&name, Actions::from_bits(bits).unwrap()).unwrap_or(RegistryScope::Catalog)
            }).collect())
        });
        let grant = Grant { kind, principal: Uuid::from_u128(principal), epoch, method, audience, scopes };
        let issued = keys().issue(grant.clone(), 60, at(0)).unwrap();
        let opened = keys().open_token(issued.token.expose(), kind, &grant.audience, at(0)).unwrap();
        prop_assert_eq!(&opened, &issued.claims);
        prop_assert_eq!(opened.grant, grant);
    }
}
