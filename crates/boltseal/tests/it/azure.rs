//! `azure-identity` from `PyPI`, unmodified and offline: every way in which a program proves itself to Entra, and then the
//! flow of `az acr login`.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant, SystemTime},
};

use boltseal_api::{
    access::{Login, Session},
    client::{Client, Server},
};
use boltseal_identity::{Keys, RootKey};
use boltseal_testkit::skip;
use boltseal_wire::client::{self as http, Method, Options, Payload, Request};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::{
    binary::User,
    fixtures::{alpine, current_feeds, layout},
    service::{PATIENCE, Service, Skopeo},
};

/// Prints a token for the resource of the last argument, by the kind of credential of the first.
const SCRIPT: &str = r#"
import os, sys
from azure.identity import *
kind, resource = sys.argv[1], sys.argv[-1]
host, client = os.environ["AZURE_AUTHORITY_HOST"], os.environ["AZURE_CLIENT_ID"]
tenant = os.environ["AZURE_TENANT_ID"]
own = dict(authority=host, disable_instance_discovery=True)
credential = {
    "secret": lambda: ClientSecretCredential(tenant, client, os.environ["AZURE_CLIENT_SECRET"], **own),
    "default": lambda: DefaultAzureCredential(),
    "certificate": lambda: CertificateCredential(tenant, client, "client.pem", **own),
    "workload": lambda: WorkloadIdentityCredential(**own),
}[kind]()
print(credential.get_token(resource + "/.default").token)
"#;
/// Allows everything that was looked at.
const LENIENT: &str =
    "version: 1\nname: lenient\nrules:\n  - name: unscanned\n    effect: unknown\n    unscanned: true\n";
pub const REGISTRY: &str = "https://containerregistry.azure.net";

/// A Python that has the packages.
pub fn python() -> Option<PathBuf> {
    let given = std::env::var_os("BOLTSEAL_AZURE_PYTHON").map(PathBuf::from);
    let python = match given {
        Some(python) => python,
        None => boltseal_testkit::peer("python3")?,
    };
    let has = Command::new(&python).args(["-c", "import azure.identity, azure.containerregistry"]).output();
    if has.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    skip(
        "no azure-identity and azure-containerregistry for python3 (pip install them, or BOLTSEAL_AZURE_PYTHON=…)",
    );
    None
}

/// A running service, asked as its first principal.
pub struct Cloud {
    pub user: User,
    pub service: Service,
    admin: Client,
    python: PathBuf,
}

impl Cloud {
    pub fn start(python: PathBuf) -> Self {
        let user = User::new();
        std::fs::create_dir_all(user.data()).unwrap();
        std::fs::write(user.data().join("policy.yaml"), LENIENT).unwrap();
        current_feeds(&user);
        let service = Service::start(&user, &[]);
        let (address, ca) = (format!("https://{}", service.https), Some(user.data().join("tls/ca.pem")));
        let login =
            Login { name: "admin".to_owned(), secret: service.printed("secret").unwrap(), code: None };
        let nobody = Server { address, token: None, ca };
        let session: Session = Client::new(&nobody).unwrap().post("/api/v1/login", &login).unwrap();
        let admin = Client::new(&Server { token: Some(session.access_token), ..nobody }).unwrap();
        Self { user, service, admin, python }
    }

    pub fn post(&self, path: &str, body: &Value) -> Value {
        self.admin.post(path, body).expect(path)
    }

    /// Where the library finds us.
    pub fn host(&self) -> String {
        self.service.https.replace("127.0.0.1", "localhost")
    }

    /// The tenant's number, as the discovery of clouds names it.
    fn tenant(&self) -> String {
        let cloud: Value = self.admin.get("/common/discovery/instance").unwrap();
        let endpoint = cloud["tenant_discovery_endpoint"].as_str().unwrap();
        endpoint.split('/').nth(3).unwrap().to_owned()
    }

    /// What the library gives, or what it says.
    fn token(&self, kind: &str, resource: &str, environment: &[(&str, &str)]) -> Result<String, String> {
        self.run(&[SCRIPT, kind, resource], environment)
    }

    /// What a script prints, or what it complains about.
    pub fn run(&self, script: &[&str], environment: &[(&str, &str)]) -> Result<String, String> {
        let mut python = Command::new(&self.python);
        python.arg("-c").args(script).current_dir(self.user.home()).env_clear();
        python.env("AZURE_AUTHORITY_HOST", format!("https://{}", self.host()));
        python.env("REQUESTS_CA_BUNDLE", self.user.data().join("tls/ca.pem"));
        python.env("HOME", self.user.home()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        // Whoever is asked besides us is not there: nothing of this may need the Internet.
        python.env("HTTPS_PROXY", "http://127.0.0.1:9").env("NO_PROXY", "localhost,127.0.0.1");
        let output = python.envs(environment.iter().copied()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// Who a token says one is.
    fn is(&self, token: &str) -> String {
        let address = self.admin.address().to_owned();
        let ca = Some(self.user.data().join("tls/ca.pem"));
        let client = Client::new(&Server { address, token: Some(token.to_owned()), ca }).unwrap();
        let me: Value = client.get("/api/v1/whoami").unwrap();
        me["name"].as_str().unwrap().to_owned()
    }
}

#[test]
fn every_credential_of_azure_identity_gets_a_token() {
    let Some(python) = python() else { return };
    let Some(openssl) = boltseal_testkit::peer("openssl") else { return };
    let cloud = Cloud::start(python);
    let (own, tenant) = (format!("https://{}", cloud.host()), cloud.tenant());
    let made = cloud.post("/api/v1/principals", &json!({ "kind": "service-principal", "name": "ci" }));
    let (id, secret) = (made["principal"]["id"].as_str().unwrap(), made["secret"].as_str().unwrap());

    let made = Command::new(openssl)
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=ci"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(cloud.user.home())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let [key, certificate] =
        ["key.pem", "cert.pem"].map(|name| std::fs::read_to_string(cloud.user.home().join(name)).unwrap());
    cloud.user.write("client.pem", format!("{key}{certificate}"));
    cloud.post("/api/v1/principals/ci/certificates", &json!({ "pem": certificate }));

    let issuer = issuer();
    cloud.post("/api/v1/principals", &json!({ "kind": "workload", "name": "pod" }));
    let federation = json!({
        "issuer": issuer.0, "audience": "api://AzureADTokenExchange",
        "subject": "system:serviceaccount:prod:web", "principal": "pod",
    });
    cloud.post("/api/v1/federations", &federation);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({
        "iss": issuer.0, "aud": ["api://AzureADTokenExchange"], "sub": "system:serviceaccount:prod:web",
        "iat": now, "exp": now + 3600,
    });
    let federated = issuer.1.issue_jwt(claims.as_object().unwrap()).unwrap();
    let file = cloud.user.write("federated", federated.expose());

    for (kind, tenant, client, more, name) in [
        ("secret", tenant.as_str(), id, ("AZURE_CLIENT_SECRET", secret), "ci"),
        ("secret", "adfs", "ci", ("AZURE_CLIENT_SECRET", secret), "ci"),
        ("default", "adfs", id, ("AZURE_CLIENT_SECRET", secret), "ci"),
        ("certificate", tenant.as_str(), id, ("X", ""), "ci"),
        ("certificate", "adfs", "ci", ("X", ""), "ci"),
        ("workload", tenant.as_str(), "pod", ("AZURE_FEDERATED_TOKEN_FILE", file.as_str()), "pod"),
        ("default", "adfs", "pod", ("AZURE_FEDERATED_TOKEN_FILE", file.as_str()), "pod"),
    ] {
        let environment = [("AZURE_TENANT_ID", tenant), ("AZURE_CLIENT_ID", client), more];
        let token = cloud.token(kind, &own, &environment);
        assert!(token.is_ok(), "{kind} {tenant}: {token:?}\n{}", cloud.service.log());
        assert_eq!(cloud.is(&token.unwrap_or_default()), name, "{kind} {tenant}");
    }
    let wrong = [("AZURE_TENANT_ID", "adfs"), ("AZURE_CLIENT_ID", "ci"), ("AZURE_CLIENT_SECRET", "wrong")];
    let said = cloud.token("secret", &own, &wrong).unwrap_err();
    assert!(said.contains("ClientAuthenticationError") && said.contains("AADSTS7000215"), "{said}");
}

#[test]
fn the_flow_of_az_acr_login_ends_in_a_pull() {
    let Some(python) = python() else { return };
    let cloud = Cloud::start(python);
    let Some(skopeo) = Skopeo::new(&cloud.user, &cloud.service) else { return };
    let image = layout(&cloud.user, "image", &alpine("1.36.1-r2"));
    for name in ["team/a:1", "other/b:1"] {
        skopeo.push(&image, name);
    }
    let made = cloud.post("/api/v1/principals", &json!({ "kind": "service-principal", "name": "ci" }));
    let scope = "/registries/main/repositories/team/*";
    cloud.post("/api/v1/role-assignments", &json!({ "principal": "ci", "role": "AcrPull", "scope": scope }));
    let secret = made["secret"].as_str().unwrap();
    let environment =
        [("AZURE_TENANT_ID", "adfs"), ("AZURE_CLIENT_ID", "ci"), ("AZURE_CLIENT_SECRET", secret)];
    let access = cloud.token("default", REGISTRY, &environment).unwrap();

    let registry = format!("http://{}", cloud.service.registry);
    let client = http::Client::new(&Options::default()).unwrap();
    let form = |path: &str, fields: &[(&str, &str)]| -> Value {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::new(Method::Post, &format!("{registry}{path}")).unwrap();
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let response = client.send(request.payload(Payload::Bytes(body.as_bytes()))).unwrap();
        serde_json::from_slice(&response.success().unwrap().bytes(1 << 20).unwrap()).unwrap()
    };
    let exchanged = form(
        "/oauth2/exchange",
        &[("grant_type", "access_token"), ("service", &cloud.service.registry), ("access_token", &access)],
    );
    let refresh = exchanged["refresh_token"].as_str().unwrap();
    let manifest = |name: &str| {
        let scope = format!("repository:{name}:pull");
        let answer = form(
            "/oauth2/token",
            &[
                ("grant_type", "refresh_token"),
                ("service", "x"),
                ("scope", &scope),
                ("refresh_token", refresh),
            ],
        );
        let request = Request::new(Method::Get, &format!("{registry}/v2/{name}/manifests/1")).unwrap();
        let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap());
        client.send(request.header("Authorization", bearer)).unwrap().status()
    };
    let until = Instant::now() + PATIENCE;
    while manifest("team/a") != 200 {
        assert!(Instant::now() < until, "no pull: {}\n{}", manifest("team/a"), cloud.service.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(matches!(manifest("other/b"), 401 | 403), "it pulls what it was not given");
}

/// An issuer on a port of its own, and its key. It serves until the test ends.
fn issuer() -> (String, Keys) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let keys = Keys::new(&RootKey::generate().unwrap(), None).unwrap();
    let metadata = json!({ "issuer": url, "jwks_uri": format!("{url}/keys") }).to_string();
    let jwks = keys.jwks().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut first, mut line) = (String::new(), String::new());
            reader.read_line(&mut first).unwrap();
            while reader.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            let body = if first.contains("openid-configuration") { &metadata } else { &jwks };
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
    });
    (url, keys)
}
