//! Records of builds, signed without a key: a certificate counts for minutes, so nobody is asked for it before the build is over.

use std::sync::{Arc, atomic::Ordering};

use super::{CI, Rekor, World, issuer::Issuer, texts};
use crate::{
    binary::Ran,
    fixtures::{alpine, layout},
};

#[test]
fn the_authority_is_asked_after_the_build() {
    let Some(world) = World::new(Rekor::One) else { return };
    let World { user, services, image, .. } = &world;
    let issuer = Issuer::start(Arc::clone(&services.issued));
    let asked = || services.asked.load(Ordering::SeqCst);
    let record = |how: &[&str], script: &str| -> Ran {
        let keyless = world.keyless();
        let command = ["--", "sh", "-c", script];
        user.run(&[&["build-record", "--image", image][..], &texts(&keyless), how, &command].concat())
    };
    let begun = || std::fs::remove_file(user.home().join("begun")).is_ok();

    // What is wrong without the build is found before it.
    user.write("none", "no token");
    record(&["--identity-token", "none"], "touch begun").ended(2).complained(&["the three parts of a JWT"]);
    record(&[], "touch begun").ended(2).complained(&["there is no identity token"]);
    record(&["--oidc-issuer", &issuer.url], "touch begun").ended(2).complained(&["nobody is at a terminal"]);
    record(&["--oidc-issuer", "http://issuer.invalid"], "touch begun").ended(2);
    let rooted = ["--identity-token", "token", "--trusted-root", "none"];
    record(&rooted, "touch begun").ended(2).complained(&["none: "]);
    assert!(!begun(), "the build was begun");
    assert_eq!(asked(), 0);

    // A build that fails needs no certificate.
    let failed = record(&["--identity-token", "token"], "touch begun; exit 7");
    assert!(failed.code != 0 && begun(), "{failed:?}");
    assert_eq!(asked(), 0);

    let other = layout(user, "other", &alpine("1.37.0-r0"));
    let push = format!("{} image copy {other} {image}", env!("CARGO_BIN_EXE_boltseal"));
    record(&["--identity-token", "token", "--trusted-root", "root.json"], &push).ended(0);
    assert_eq!(asked(), 1);
    let provenance = ["verify", image, "--type", "slsaprovenance1"];
    user.run(&[&provenance[..], &CI].concat()).ended(0);
}
