//! `azure-containerregistry` from `PyPI`, unmodified and offline: Azure's client of registries against ours.

use serde_json::{Value, json};

use crate::{
    azure::{Cloud, REGISTRY, python},
    fixtures::{alpine, layout},
    service::Skopeo,
};

/// Does what a program does with a registry, and prints what it was told.
const SCRIPT: &str = r#"
import io, json, sys
from azure.identity import DefaultAzureCredential
from azure.containerregistry import ContainerRegistryClient, ArtifactManifestOrder, ArtifactTagOrder
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
endpoint, audience, name = sys.argv[1:4]
client = ContainerRegistryClient(endpoint, DefaultAzureCredential(), audience=audience)
told = {"repositories": list(client.list_repository_names())}
about = client.get_repository_properties(name)
told["counts"] = [about.manifest_count, about.tag_count]
newest = client.list_tag_properties(name, order_by=ArtifactTagOrder.LAST_UPDATED_ON_DESCENDING)
told["tags"] = [tag.name for tag in newest]
told["manifests"] = [
    [manifest.digest, manifest.architecture, manifest.operating_system, manifest.tags]
    for manifest in client.list_manifest_properties(name)
]
told["digest"] = client.get_manifest_properties(name, "1").digest
manifest = client.get_manifest(name, "1")
told["pulled"] = [manifest.digest, manifest.media_type]
digest, size = client.upload_blob(name, io.BytesIO(b"a blob in chunks"))
told["blob"] = b"".join(client.download_blob(name, digest)).decode()
copy = client.set_manifest(name, manifest.manifest, tag="copy", media_type=manifest.media_type)
told["copied"] = client.get_tag_properties(name, "copy").digest == copy
client.delete_tag(name, "copy")
try:
    client.get_tag_properties(name, "copy")
except ResourceNotFoundError as gone:
    told["gone"] = True
try:
    client.get_manifest("other/b", "1")
except HttpResponseError as refused:
    told["refused"] = refused.status_code
print(json.dumps(told))
"#;

#[test]
fn azures_own_client_reads_and_writes() {
    let Some(python) = python() else { return };
    let cloud = Cloud::start(python);
    let Some(skopeo) = Skopeo::new(&cloud.user, &cloud.service) else { return };
    let image = layout(&cloud.user, "image", &alpine("1.36.1-r2"));
    for name in ["team/a:1", "team/a:2", "other/b:1"] {
        skopeo.push(&image, name);
    }
    skopeo.pull_until("team/a:1", "pulled", Result::is_ok).unwrap();
    let made = cloud.post("/api/v1/principals", &json!({ "kind": "service-principal", "name": "ci" }));
    let scope = "/registries/main/repositories/team/*";
    for role in ["AcrPush", "AcrDelete"] {
        cloud.post("/api/v1/role-assignments", &json!({ "principal": "ci", "role": role, "scope": scope }));
    }
    let secret = made["secret"].as_str().unwrap();
    let environment =
        [("AZURE_TENANT_ID", "adfs"), ("AZURE_CLIENT_ID", "ci"), ("AZURE_CLIENT_SECRET", secret)];
    let endpoint = format!("https://{}", cloud.host());
    let said = cloud.run(&[SCRIPT, &endpoint, REGISTRY, "team/a"], &environment);
    let told: Value = serde_json::from_str(said.as_deref().unwrap_or_default())
        .unwrap_or_else(|_| panic!("{said:?}\n{}", cloud.service.log()));
    let digest = told["digest"].as_str().unwrap();
    let expected = json!({
        "repositories": ["team/a"],
        "counts": [1, 2],
        "tags": ["2", "1"],
        "manifests": [[digest, "amd64", "linux", ["1", "2"]]],
        "digest": digest,
        "pulled": [digest, "application/vnd.oci.image.manifest.v1+json"],
        "blob": "a blob in chunks",
        "copied": true,
        "gone": true,
        "refused": told["refused"],
    });
    assert_eq!(told, expected);
    assert!(matches!(told["refused"].as_u64(), Some(401 | 403)), "{told}");
    cloud.service.stop();
}
