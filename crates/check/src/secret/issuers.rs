//! The table of issuers. Prefixes, alphabets and lengths are facts that issuers publish in their documentation, most of
//! them to be found by scanners; each line is our own reading of them.

/// A kind of token that has a prefix of its own.
#[derive(Clone, Copy, Debug)]
pub struct Issuer {
    /// The rule's id.
    pub rule: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// How it begins; case matters.
    pub prefix: &'static str,
    /// What follows.
    pub tail: Tail,
    /// Least bytes of the tail.
    pub least: usize,
    /// Most bytes of the tail; a longer run is something else.
    pub most: usize,
    /// What the tail ends with, where there is such a thing.
    pub(crate) checksum: Option<Checksum>,
}

/// The alphabet of a tail.
#[derive(Clone, Copy, Debug)]
pub enum Tail {
    /// `0-9a-f`
    Hex,
    /// `A-Z0-9`
    Upper,
    /// `A-Za-z0-9`
    Alnum,
    /// `A-Za-z0-9_-`
    Url,
    /// `A-Za-z0-9_-.`
    Dotted,
    /// `A-Za-z0-9+/=_-`
    Base64,
}

/// How a token proves that it was not mistyped.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Checksum {
    /// The last six bytes are the CRC-32 of the others, in base 62 (GitHub, npm).
    Base62Crc32,
    /// Behind the last `_` stands the CRC-32 of what is before, in hexadecimal (Grafana).
    HexCrc32,
}

impl Tail {
    /// Whether `byte` is of this alphabet.
    pub fn holds(self, byte: u8) -> bool {
        match self {
            Self::Hex => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            Self::Upper => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'/' | b'='),
        }
    }
}

const fn line(
    rule: &'static str,
    title: &'static str,
    prefix: &'static str,
    tail: Tail,
    least: usize,
    most: usize,
) -> Issuer {
    Issuer { rule, title, prefix, tail, least, most, checksum: None }
}

const fn summed(
    rule: &'static str,
    title: &'static str,
    prefix: &'static str,
    tail: Tail,
    least: usize,
    most: usize,
    checksum: Checksum,
) -> Issuer {
    Issuer { rule, title, prefix, tail, least, most, checksum: Some(checksum) }
}

use Tail::{Alnum, Base64, Dotted, Hex, Upper, Url};

/// Every issuer that is known, sorted by rule.
#[rustfmt::skip]
pub const ISSUERS: &[Issuer] = &[
    line("1password-service-account", "1Password service account token", "ops_eyJ", Base64, 100, 4096),
    line("adafruit-io-key", "Adafruit IO key", "aio_", Alnum, 28, 28),
    line("adobe-client-secret", "Adobe client secret", "p8e-", Url, 24, 40),
    line("age-secret-key", "age secret key", "AGE-SECRET-KEY-1", Upper, 58, 58),
    line("airtable-personal-access-token", "Airtable personal access token", "pat", Dotted, 79, 79),
    line("alibaba-access-key-id", "Alibaba Cloud access key id", "LTAI", Alnum, 12, 26),
    line("anthropic-api-key", "Anthropic API key", "sk-ant-", Url, 80, 130),
    line("artifactory-api-key", "Artifactory API key", "AKCp", Alnum, 60, 80),
    line("artifactory-reference-token", "Artifactory reference token", "cmVmdGtu", Alnum, 50, 64),
    line("asaas-api-key", "Asaas API key", "$aact_", Base64, 60, 260),
    line("atlassian-api-token", "Atlassian API token", "ATATT3", Base64, 150, 230),
    line("aws-access-key-id", "AWS access key id", "AKIA", Upper, 16, 16),
    line("aws-access-key-id", "AWS temporary access key id", "ASIA", Upper, 16, 16),
    line("aws-appsync-api-key", "AWS AppSync API key", "da2-", Alnum, 26, 26),
    line("aws-bedrock-api-key", "AWS Bedrock API key", "ABSK", Base64, 100, 140),
    line("aws-mws-token", "Amazon MWS token", "amzn.mws.", Url, 36, 36),
    line("aws-session-token", "AWS session token", "IQoJb3JpZ2luX2Vj", Base64, 100, 2048),
    line("bitbucket-app-password", "Bitbucket app password", "ATBB", Alnum, 32, 32),
    line("bitbucket-repository-token", "Bitbucket repository token", "ATCTT3", Base64, 150, 230),
    line("brevo-api-key", "Brevo API key", "xkeysib-", Url, 81, 81),
    line("buildkite-token", "Buildkite API token", "bkua_", Hex, 40, 40),
    line("cargo-registry-token", "crates.io token", "cio", Alnum, 32, 32),
    line("circleci-token", "CircleCI personal token", "CCIPAT_", Url, 60, 80),
    line("clickhouse-cloud-key", "ClickHouse Cloud secret key", "4b1d", Alnum, 38, 38),
    line("clojars-token", "Clojars deploy token", "CLOJARS_", Alnum, 60, 60),
    line("cloudflare-origin-ca-key", "Cloudflare origin CA key", "v1.0-", Url, 140, 180),
    line("cloudsmith-api-key", "Cloudsmith API key", "csa_", Hex, 40, 40),
    line("contentful-token", "Contentful personal token", "CFPAT-", Url, 43, 43),
    line("databricks-token", "Databricks token", "dapi", Url, 32, 34),
    line("datadog-token", "Datadog personal access token", "ddpat_", Alnum, 40, 60),
    line("dependency-track-api-key", "Dependency-Track API key", "odt_", Alnum, 32, 50),
    line("digitalocean-oauth-token", "DigitalOcean OAuth token", "doo_v1_", Hex, 64, 64),
    line("digitalocean-refresh-token", "DigitalOcean refresh token", "dor_v1_", Hex, 64, 64),
    line("digitalocean-token", "DigitalOcean personal access token", "dop_v1_", Hex, 64, 64),
    line("discord-webhook", "Discord webhook", "discord.com/api/webhooks/", Base64, 80, 95),
    line("discord-webhook", "Discord webhook", "discordapp.com/api/webhooks/", Base64, 80, 95),
    line("docker-hub-token", "Docker Hub access token", "dckr_pat_", Url, 27, 27),
    line("docker-hub-token", "Docker Hub organisation token", "dckr_oat_", Url, 32, 32),
    line("docker-swarm-join-token", "Swarm join token", "SWMTKN-1-", Url, 70, 80),
    line("docker-swarm-unlock-key", "Swarm unlock key", "SWMKEY-1-", Base64, 43, 44),
    line("doppler-token", "Doppler token", "dp.audit.", Alnum, 40, 44),
    line("doppler-token", "Doppler token", "dp.ct.", Alnum, 40, 44),
    line("doppler-token", "Doppler token", "dp.pt.", Alnum, 40, 44),
    line("doppler-token", "Doppler token", "dp.sa.", Alnum, 40, 44),
    line("doppler-token", "Doppler token", "dp.scim.", Alnum, 40, 44),
    line("doppler-token", "Doppler token", "dp.st.", Dotted, 40, 80),
    line("dropbox-short-lived-token", "Dropbox short-lived token", "sl.", Url, 100, 1400),
    line("duffel-token", "Duffel API token", "duffel_", Url, 48, 52),
    line("dynatrace-token", "Dynatrace token", "dt0c01.", Dotted, 80, 92),
    line("dynatrace-token", "Dynatrace token", "dt0s01.", Dotted, 70, 92),
    line("easypost-key", "EasyPost API key", "EZAK", Alnum, 54, 54),
    line("easypost-key", "EasyPost test key", "EZTK", Alnum, 54, 54),
    line("facebook-access-token", "Facebook access token", "EAA", Alnum, 60, 260),
    line("figma-token", "Figma personal access token", "figd_", Url, 40, 44),
    line("firecrawl-api-key", "Firecrawl API key", "fc-", Hex, 32, 32),
    line("flutterwave-key", "Flutterwave secret key", "FLWSECK", Url, 30, 48),
    line("fly-io-token", "Fly.io token", "fo1_", Url, 43, 43),
    line("fly-io-token", "Fly.io macaroon", "FlyV1 fm2_", Base64, 100, 1200),
    line("frameio-token", "Frame.io token", "fio-u-", Url, 64, 64),
    summed("github-app-token", "GitHub App user token", "ghu_", Alnum, 36, 36, Checksum::Base62Crc32),
    summed("github-app-token", "GitHub App installation token", "ghs_", Alnum, 36, 36, Checksum::Base62Crc32),
    line("github-fine-grained-token", "GitHub fine-grained token", "github_pat_", Url, 82, 82),
    summed("github-oauth-token", "GitHub OAuth token", "gho_", Alnum, 36, 36, Checksum::Base62Crc32),
    summed("github-personal-access-token", "GitHub personal access token", "ghp_", Alnum, 36, 36, Checksum::Base62Crc32),
    summed("github-refresh-token", "GitHub refresh token", "ghr_", Alnum, 36, 76, Checksum::Base62Crc32),
    line("gitlab-agent-token", "GitLab agent token", "glagent-", Url, 50, 56),
    line("gitlab-deploy-token", "GitLab deploy token", "gldt-", Url, 20, 56),
    line("gitlab-feed-token", "GitLab feed token", "glft-", Url, 20, 56),
    line("gitlab-incoming-mail-token", "GitLab incoming mail token", "glimt-", Url, 25, 56),
    line("gitlab-job-token", "GitLab job token", "glcbt-", Url, 20, 64),
    line("gitlab-oauth-secret", "GitLab OAuth secret", "gloas-", Url, 64, 64),
    line("gitlab-personal-access-token", "GitLab personal access token", "glpat-", Dotted, 20, 64),
    line("gitlab-runner-registration-token", "GitLab runner registration token", "GR1348941", Url, 20, 24),
    line("gitlab-runner-token", "GitLab runner token", "glrt-", Dotted, 20, 64),
    line("gitlab-scim-token", "GitLab SCIM token", "glsoat-", Url, 20, 56),
    line("gitlab-trigger-token", "GitLab pipeline trigger token", "glptt-", Alnum, 40, 64),
    line("gocardless-token", "GoCardless token", "live_", Url, 40, 44),
    line("google-api-key", "Google API key", "AIza", Url, 35, 35),
    line("google-oauth-access-token", "Google OAuth access token", "ya29.", Url, 40, 400),
    line("google-oauth-client-secret", "Google OAuth client secret", "GOCSPX-", Url, 28, 28),
    line("grafana-cloud-token", "Grafana Cloud token", "glc_eyJ", Base64, 40, 400),
    summed("grafana-service-account-token", "Grafana service account token", "glsa_", Url, 41, 41, Checksum::HexCrc32),
    line("groq-api-key", "Groq API key", "gsk_", Alnum, 50, 54),
    line("harness-token", "Harness token", "pat.", Dotted, 60, 80),
    line("heroku-api-key", "Heroku API key", "HRKU-", Url, 36, 66),
    line("hugging-face-token", "Hugging Face token", "hf_", Alnum, 34, 40),
    line("hugging-face-token", "Hugging Face organisation token", "api_org_", Alnum, 34, 40),
    line("infracost-key", "Infracost key", "ico-", Alnum, 32, 32),
    line("jina-api-key", "Jina API key", "jina_", Url, 60, 64),
    line("kubernetes-service-account", "JSON web token of a Kubernetes service account", "eyJhbGciOiJSUzI1NiIsImtpZCI6I", Dotted, 400, 4096),
    line("langsmith-key", "LangSmith key", "lsv2_", Url, 40, 46),
    line("launchdarkly-sdk-key", "LaunchDarkly SDK key", "sdk-", Url, 36, 36),
    line("linear-api-key", "Linear API key", "lin_api_", Alnum, 40, 40),
    line("mailgun-api-key", "Mailgun API key", "key-", Hex, 32, 32),
    line("mapbox-secret-token", "Mapbox secret token", "sk.eyJ", Dotted, 60, 200),
    line("mergify-key", "Mergify application key", "mka_", Url, 40, 60),
    line("netlify-token", "Netlify token", "nfp_", Alnum, 36, 40),
    line("new-relic-key", "New Relic browser key", "NRJS-", Hex, 19, 19),
    line("new-relic-key", "New Relic insights insert key", "NRII-", Url, 32, 32),
    line("new-relic-key", "New Relic insights query key", "NRIQ-", Url, 32, 32),
    line("new-relic-key", "New Relic REST key", "NRRA-", Hex, 42, 42),
    line("new-relic-key", "New Relic user key", "NRAK-", Upper, 27, 27),
    line("notion-token", "Notion token", "ntn_", Alnum, 40, 50),
    line("notion-token", "Notion integration secret", "secret_", Alnum, 43, 43),
    summed("npm-access-token", "npm access token", "npm_", Alnum, 36, 36, Checksum::Base62Crc32),
    line("nuget-api-key", "NuGet API key", "oy2", Alnum, 43, 43),
    line("octopus-api-key", "Octopus Deploy API key", "API-", Upper, 26, 33),
    line("openai-api-key", "OpenAI API key", "sk-admin-", Url, 40, 200),
    line("openai-api-key", "OpenAI API key", "sk-proj-", Url, 40, 200),
    line("openai-api-key", "OpenAI API key", "sk-svcacct-", Url, 40, 200),
    line("openai-api-key", "OpenAI API key", "sk-", Alnum, 48, 48),
    line("openrouter-api-key", "OpenRouter API key", "sk-or-v1-", Hex, 64, 64),
    line("openshift-token", "OpenShift user token", "sha256~", Url, 43, 43),
    line("perplexity-api-key", "Perplexity API key", "pplx-", Alnum, 48, 56),
    line("plaid-token", "Plaid access token", "access-production-", Url, 36, 36),
    line("planetscale-token", "PlanetScale token", "pscale_oauth_", Dotted, 32, 64),
    line("planetscale-token", "PlanetScale password", "pscale_pw_", Dotted, 32, 64),
    line("planetscale-token", "PlanetScale token", "pscale_tkn_", Dotted, 32, 64),
    line("postman-api-key", "Postman API key", "PMAK-", Url, 59, 59),
    line("prefect-token", "Prefect API key", "pnu_", Alnum, 36, 36),
    line("private-packagist-token", "Private Packagist token", "packagist_", Url, 50, 90),
    line("pulumi-token", "Pulumi access token", "pul-", Hex, 40, 40),
    line("pypi-upload-token", "PyPI upload token", "pypi-AgE", Url, 60, 1024),
    line("readme-api-key", "ReadMe API key", "rdme_", Alnum, 70, 70),
    line("replicate-token", "Replicate token", "r8_", Alnum, 37, 37),
    line("rubygems-api-key", "RubyGems API key", "rubygems_", Hex, 48, 48),
    line("scalingo-token", "Scalingo token", "tk-us-", Url, 48, 48),
    line("sendgrid-api-key", "SendGrid API key", "SG.", Dotted, 66, 66),
    line("sentry-token", "Sentry organisation token", "sntrys_eyJ", Base64, 80, 400),
    line("sentry-token", "Sentry user token", "sntryu_", Hex, 64, 64),
    line("shippo-token", "Shippo token", "shippo_live_", Hex, 40, 40),
    line("shippo-token", "Shippo test token", "shippo_test_", Hex, 40, 40),
    line("shopify-token", "Shopify access token", "shpat_", Alnum, 32, 32),
    line("shopify-token", "Shopify custom app token", "shpca_", Alnum, 32, 32),
    line("shopify-token", "Shopify private app token", "shppa_", Alnum, 32, 32),
    line("shopify-token", "Shopify shared secret", "shpss_", Alnum, 32, 32),
    line("slack-app-token", "Slack app token", "xapp-", Base64, 30, 120),
    line("slack-bot-token", "Slack bot token", "xoxb-", Url, 20, 80),
    line("slack-config-token", "Slack configuration token", "xoxe.xox", Dotted, 100, 300),
    line("slack-legacy-token", "Slack legacy token", "xoxa-", Url, 20, 100),
    line("slack-legacy-token", "Slack legacy token", "xoxo-", Url, 20, 100),
    line("slack-legacy-token", "Slack legacy token", "xoxr-", Url, 20, 100),
    line("slack-legacy-token", "Slack legacy token", "xoxs-", Url, 20, 100),
    line("slack-user-token", "Slack user token", "xoxp-", Url, 40, 140),
    line("slack-webhook", "Slack webhook", "hooks.slack.com/services/", Base64, 40, 60),
    line("slack-webhook", "Slack workflow webhook", "hooks.slack.com/workflows/", Base64, 40, 90),
    line("snyk-token", "Snyk token", "snyk_", Dotted, 36, 120),
    line("sonarqube-token", "SonarQube token", "sqa_", Hex, 40, 40),
    line("sonarqube-token", "SonarQube token", "sqp_", Hex, 40, 40),
    line("sonarqube-token", "SonarQube token", "squ_", Hex, 40, 40),
    line("sourcegraph-token", "Sourcegraph access token", "sgp_", Url, 40, 60),
    line("square-token", "Square access token", "EAAA", Url, 60, 60),
    line("square-token", "Square access token", "sq0atp-", Url, 22, 22),
    line("square-token", "Square OAuth secret", "sq0csp-", Url, 43, 43),
    line("stackhawk-api-key", "StackHawk API key", "hawk.", Dotted, 41, 41),
    line("stripe-api-key", "Stripe live restricted key", "rk_live_", Alnum, 20, 128),
    line("stripe-api-key", "Stripe live secret key", "sk_live_", Alnum, 20, 128),
    line("stripe-api-key", "Stripe test restricted key", "rk_test_", Alnum, 20, 128),
    line("stripe-api-key", "Stripe test secret key", "sk_test_", Alnum, 20, 128),
    line("stripe-webhook-secret", "Stripe webhook secret", "whsec_", Base64, 32, 80),
    line("supabase-token", "Supabase token", "sbp_", Hex, 40, 40),
    line("tailscale-key", "Tailscale key", "tskey-", Url, 30, 80),
    line("tavily-api-key", "Tavily API key", "tvly-", Url, 32, 60),
    line("teams-webhook", "Microsoft Teams webhook", "webhook.office.com/webhookb2/", Base64, 70, 200),
    line("terraform-cloud-token", "Terraform Cloud token", "atlasv1.", Url, 60, 70),
    line("twilio-api-key", "Twilio API key", "SK", Hex, 32, 32),
    line("typeform-token", "Typeform token", "tfp_", Dotted, 40, 62),
    line("vault-batch-token", "Vault batch token", "hvb.", Url, 100, 300),
    line("vault-recovery-token", "Vault recovery token", "hvr.", Url, 24, 300),
    line("vault-service-token", "Vault service token", "hvs.", Url, 24, 300),
    line("vercel-token", "Vercel token", "vcp_", Alnum, 24, 80),
    line("xai-api-key", "xAI API key", "xai-", Alnum, 70, 90),
    line("yandex-token", "Yandex Cloud API key", "AQVN", Url, 35, 38),
    line("yandex-token", "Yandex OAuth token", "y0_", Url, 50, 64),
];
