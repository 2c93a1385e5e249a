//! `boltseal quarantine`: somebody decides about an image, whatever its verdict says.

use boltseal_testkit::image::{Image, Layer};

use crate::{binary::User, fixtures::layout, login::as_admin, service::Service};

#[test]
fn an_image_is_held_released_and_left_to_its_verdict() {
    let user = User::new();
    user.write(
        ".local/share/boltseal/policy.yaml",
        "version: 1\nname: lax\nrules:\n  - { name: gaps, effect: warn, coverage: {} }\n",
    );
    let service = Service::start(&user, &[]);
    as_admin(&user, &service);
    let built = Image::new().layer(Layer::new().file("etc/motd", "hello\n")).build();
    let (digest, repository) = (built.manifest.to_string(), format!("{}/team/web", service.https));
    let tagged = format!("{repository}:1");
    user.run(&["image", "copy", &layout(&user, "image", &built), &tagged]).ended(0);

    let put = ["quarantine", "put", &tagged, "--note", "odd connections"];
    user.run(&put).ended(1).complained(&["AcrQuarantineWriter"]);
    user.run(&["role", "assign", "AcrQuarantineWriter", "--to", "admin", "--scope", "/registries/main"])
        .ended(0);
    user.run(&["quarantine", "list", &repository]).ended(0).said(&["none"]);
    user.run(&["quarantine", "put", &tagged]).ended(2).complained(&["--note"]);
    user.run(&["quarantine", "put", &repository, "--note", "x"])
        .ended(2)
        .complained(&["neither tag nor digest"]);
    user.run(&["quarantine", "put", &format!("{repository}:2"), "--note", "x"])
        .ended(3)
        .complained(&["not stored here"]);
    user.run(&put).ended(0).complained(&["in quarantine:"]);
    let named = format!("{repository}@{digest}");
    let admit = |code: i32| user.run(&["admit", &named]).ended(code);
    admit(1).said(&["odd connections"]);
    let listed = user.run(&["quarantine", "list", &repository, "--format", "json"]).ended(0).json();
    assert_eq!(
        (&listed[0]["digest"], &listed[0]["state"], &listed[0]["by"]),
        (&digest.as_str().into(), &"quarantine".into(), &"admin".into())
    );
    assert_eq!(listed[0]["tags"][0], "1");

    user.run(&["quarantine", "release", &named, "--note", "looked at by hand"])
        .ended(0)
        .complained(&["released:"]);
    user.run(&["quarantine", "list", &repository]).ended(0).said(&["admin", &digest]);
    let listed = user.run(&["quarantine", "list", &repository, "--format", "json"]).ended(0).json();
    assert_eq!(listed[0]["state"], "released");
    admit(0);
    user.run(&["quarantine", "clear", &named]).ended(0).complained(&["its verdict counts:"]);
    user.run(&["quarantine", "list", &repository]).ended(0).said(&["none"]);
    let log = user.run(&["audit", "log", "--format", "json", "-n", "1000"]).ended(0).out;
    assert!(log.contains("quarantine: Failed before, Passed now"), "{log}");
}
