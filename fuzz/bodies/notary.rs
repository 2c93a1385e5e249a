//! Any bytes as a signature of Notary Project, in JWS or COSE. Nothing panics, and nothing is believed that no certificate of the trust
//! store signed.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_model::{Digest, Timestamp};
use boltseal_trust::{
    Authority, Evidence, Form, Who,
    notary::{Document, StoreKind, Stores, Trust},
    verify,
};

/// A root that signed nothing here. That of the seeds has its name, and another key.
const ROOT: &str = concat!(
    "MIIBtTCCAVqgAwIBAgIUH6i/cEeQ938x4z0zKyy4gn/uvWwwCgYIKoZIzj0EAwIwODELMAkGA1UEBhMCVVMxCzAJBgNVBAgMAldBMQ0w",
    "CwYDVQQKDARBY21lMQ0wCwYDVQQDDARyb290MB4XDTI2MTEyNjA2NTQwNloXDTM2MTEyMzA2NTQwNlowODELMAkGA1UEBhMCVVMxCzAJ",
    "BgNVBAgMAldBMQ0wCwYDVQQKDARBY21lMQ0wCwYDVQQDDARyb290MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEDF1CTevCMICb0EAN",
    "NSD6CARJ2GwTXYqb2xMPC/2OqdylfLGCOi7uF9oLme9N4TrZS3BuYbr32JdNvBGfzo1pd6NCMEAwDwYDVR0TAQH/BAUwAwEB/zAOBgNV",
    "HQ8BAf8EBAMCAQYwHQYDVR0OBBYEFF1PAEESqWqbp/KdQVH3ds6+sUUmMAoGCCqGSM49BAMCA0kAMEYCIQC5PPbfgpG321rNiCw+WpwA",
    "NRaUJ4vFvvPLvQ5ND90mLgIhAPMSmzzX6/4wihx5ZGrnBDofn0OEDO+CdJTUNicHVEzp",
);
/// The root of the seeds.
const SEEDS: &str = concat!(
    "MIIBszCCAVqgAwIBAgIUNp/RpWbVSK+RK/8aVs6VtDtNvsYwCgYIKoZIzj0EAwIwODELMAkGA1UEBhMCVVMxCzAJBgNVBAgMAldBMQ0w",
    "CwYDVQQKDARBY21lMQ0wCwYDVQQDDARyb290MB4XDTI2MTEyNjA2NDcyNloXDTM2MTEyMzA2NDcyNlowODELMAkGA1UEBhMCVVMxCzAJ",
    "BgNVBAgMAldBMQ0wCwYDVQQKDARBY21lMQ0wCwYDVQQDDARyb290MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEnk0jYCNKiHWdc+uk",
    "LoUs+O+zQ2GmfbmtbSOxWxD+0aspIxiIcJbVQPhj2TTiCioJEYGnx6dhPjzx1fs4iElqmaNCMEAwDwYDVR0TAQH/BAUwAwEB/zAOBgNV",
    "HQ8BAf8EBAMCAQYwHQYDVR0OBBYEFDgGinkgD9/eLu/CMUd7d97P1FYOMAoGCCqGSM49BAMCA0cAMEQCIGaE2hdt2B5iRMEZeUcpOKzV",
    "mPipUh37Q5YNbHRMUXlVAiBNIbRwCzivS1tLZnAaGMKoZb/tNgEj+Bz8sAhWXwu3Bw==",
);

/// Reads `bytes`.
pub fn body(form: Form, bytes: &[u8]) {
    static STRANGERS: LazyLock<Option<Authority>> = LazyLock::new(|| authority(ROOT, "strict"));
    static SIGNERS: LazyLock<Option<Authority>> = LazyLock::new(|| authority(SEEDS, "permissive"));
    let image = Digest::of(b"image");
    let evidence = Evidence { form, bytes, annotations: &BTreeMap::new() };
    let (Some(strangers), Some(signers)) = (STRANGERS.as_ref(), SIGNERS.as_ref()) else {
        panic!("nobody to believe")
    };
    let found = verify(&evidence, &image, std::slice::from_ref(strangers));
    assert!(found.is_err(), "believed what nobody signed");
    // Those of the seeds that are right go all the way.
    if let Ok(signed) = verify(&evidence, &image, std::slice::from_ref(signers)) {
        assert!(signed.by.to_string().contains("CN=releases"), "{signed:?}");
    }
    assert!(verify(&evidence, &Digest::of(b"another"), std::slice::from_ref(signers)).is_err());
}

fn authority(root: &str, level: &str) -> Option<Authority> {
    let policy = format!(
        r#"{{ "version": "1.0", "trustPolicies": [{{ "name": "any", "registryScopes": ["*"],
            "signatureVerification": {{ "level": "{level}" }}, "trustedIdentities": ["*"],
            "trustStores": ["ca:a", "signingAuthority:a", "tsa:a"] }}] }}"#
    );
    let statement = Document::parse(&policy).ok()?.of("a/b")?.clone();
    let mut stores = Stores::default();
    let root = STANDARD.decode(root).ok()?;
    for kind in [StoreKind::Authority, StoreKind::SigningAuthority, StoreKind::Clock] {
        stores.add(kind, "a", &root).ok()?;
    }
    let trust = Trust { statement, stores: stores.into(), revoked: Arc::default() };
    let now: Timestamp = "2027-01-01T00:00:00Z".parse().ok()?;
    Some(Authority::new("any", Who::Notary { trust: trust.into(), now }))
}
