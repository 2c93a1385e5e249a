//! What counts as a pull, and for which name.

use axum::{body::Body, http::StatusCode};
use boltseal_model::Timestamp;

use crate::world::World;

#[tokio::test]
async fn pulls_are_counted() {
    let world = World::new().await;
    let image = world.push_image("team/app", "v1", "", b"layer").await;
    let denied = world.push_image("team/app", "v2", "deny", b"other layer").await;
    let by_tag = "/v2/team/app/manifests/v1".to_owned();
    let by_digest = format!("/v2/team/app/manifests/{image}");
    let get = async |path: &str| assert_eq!(world.get(path).await.status, StatusCode::OK, "{path}");
    let head = async |path: &str| {
        let reply = world.call("HEAD", path, &[], Body::empty()).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
    };
    get(&by_tag).await;
    get(&by_tag).await;
    get(&by_digest).await;
    // As container engines do: the tag is looked up, its digest pulled.
    head(&by_tag).await;
    get(&by_digest).await;
    // Looked up, and then pulled by nobody.
    head(&by_tag).await;
    head(&by_digest).await;
    let refused = world.get("/v2/team/app/manifests/v2").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);

    let since = Timestamp::UNIX_EPOCH;
    assert_eq!(world.facts.pulls(&image, since).await.unwrap(), [], "counted in memory");
    world.registry.end().await;
    let found = world.facts.pulls(&image, since).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].number, found[0].tags["v1"].number), (4, 3));
    assert_eq!(found[0].days.iter().map(|day| day.number).sum::<u64>(), 4);
    assert_eq!(world.facts.pulls(&denied, since).await.unwrap(), [], "what is refused is no pull");
    // Nothing is counted twice.
    world.registry.end().await;
    assert_eq!(world.facts.pulls(&image, since).await.unwrap()[0].number, 4);
}
