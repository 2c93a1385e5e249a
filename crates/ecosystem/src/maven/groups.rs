//! Groups of widespread libraries whose archives do not tell them: those that Gradle builds leave Maven's files out.

/// Beginning of an artifact, and its group; the longest beginning counts. One that ends in `=` must be the whole name.
const GROUPS: &[(&str, &str)] = &[
    ("activemq-", "org.apache.activemq"),
    ("bcpkix-", "org.bouncycastle"),
    ("bcprov-", "org.bouncycastle"),
    ("commons-beanutils=", "commons-beanutils"),
    ("commons-codec=", "commons-codec"),
    ("commons-collections4=", "org.apache.commons"),
    ("commons-collections=", "commons-collections"),
    ("commons-compress=", "org.apache.commons"),
    ("commons-configuration2=", "org.apache.commons"),
    ("commons-fileupload=", "commons-fileupload"),
    ("commons-io=", "commons-io"),
    ("commons-lang3=", "org.apache.commons"),
    ("commons-lang=", "commons-lang"),
    ("commons-text=", "org.apache.commons"),
    ("elasticsearch-", "org.elasticsearch"),
    ("elasticsearch=", "org.elasticsearch"),
    ("groovy=", "org.codehaus.groovy"),
    ("grpc-", "io.grpc"),
    ("gson=", "com.google.code.gson"),
    ("guava=", "com.google.guava"),
    ("guice-", "com.google.inject.extensions"),
    ("guice=", "com.google.inject"),
    ("h2=", "com.h2database"),
    ("hibernate-core=", "org.hibernate"),
    ("jackson-annotations=", "com.fasterxml.jackson.core"),
    ("jackson-core=", "com.fasterxml.jackson.core"),
    ("jackson-databind=", "com.fasterxml.jackson.core"),
    ("jackson-dataformat-", "com.fasterxml.jackson.dataformat"),
    ("jackson-datatype-", "com.fasterxml.jackson.datatype"),
    ("jackson-module-", "com.fasterxml.jackson.module"),
    ("jetty-", "org.eclipse.jetty"),
    ("json-smart=", "net.minidev"),
    ("kafka-clients=", "org.apache.kafka"),
    ("kotlin-", "org.jetbrains.kotlin"),
    ("kotlinx-", "org.jetbrains.kotlinx"),
    ("log4j-", "org.apache.logging.log4j"),
    ("log4j=", "log4j"),
    ("logback-", "ch.qos.logback"),
    ("lucene-", "org.apache.lucene"),
    ("micrometer-", "io.micrometer"),
    ("mysql-connector-j=", "com.mysql"),
    ("mysql-connector-java=", "mysql"),
    ("netty-", "io.netty"),
    ("nimbus-jose-jwt=", "com.nimbusds"),
    ("okhttp=", "com.squareup.okhttp3"),
    ("okio-jvm=", "com.squareup.okio"),
    ("okio=", "com.squareup.okio"),
    ("opentelemetry-", "io.opentelemetry"),
    ("postgresql=", "org.postgresql"),
    ("protobuf-java=", "com.google.protobuf"),
    ("reactor-core=", "io.projectreactor"),
    ("reactor-netty-", "io.projectreactor.netty"),
    ("rxjava=", "io.reactivex.rxjava3"),
    ("shiro-", "org.apache.shiro"),
    ("slf4j-", "org.slf4j"),
    ("snakeyaml=", "org.yaml"),
    ("spring-", "org.springframework"),
    ("spring-boot", "org.springframework.boot"),
    ("spring-cloud-", "org.springframework.cloud"),
    ("spring-data-", "org.springframework.data"),
    ("spring-integration-", "org.springframework.integration"),
    ("spring-kafka=", "org.springframework.kafka"),
    ("spring-security-", "org.springframework.security"),
    ("spring-session-", "org.springframework.session"),
    ("struts2-", "org.apache.struts"),
    ("tomcat-", "org.apache.tomcat"),
    ("tomcat-embed-", "org.apache.tomcat.embed"),
    ("xstream=", "com.thoughtworks.xstream"),
];

/// The group of `artifact`, if it is one of these. Log4j 1 and 2 share the beginning of their names and nothing else.
pub(super) fn of(artifact: &str, version: &str) -> Option<&'static str> {
    if artifact.starts_with("log4j") && version.starts_with("1.") {
        return (artifact == "log4j").then_some("log4j");
    }
    let fits = |known: &str| match known.strip_suffix('=') {
        Some(whole) => artifact == whole,
        None => artifact.starts_with(known),
    };
    GROUPS
        .iter()
        .filter(|(known, _)| fits(known))
        .max_by_key(|(known, _)| known.len())
        .map(|(_, group)| *group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_counts() {
        for (artifact, version, group) in [
            ("spring-core", "5.3.1", Some("org.springframework")),
            ("spring-boot", "3.0.0", Some("org.springframework.boot")),
            ("spring-boot-starter-web", "3.0.0", Some("org.springframework.boot")),
            ("log4j", "1.2.17", Some("log4j")),
            ("log4j-core", "2.14.1", Some("org.apache.logging.log4j")),
            ("log4j-over-something", "1.0", None),
            ("commons-io-fork", "1.0", None),
        ] {
            assert_eq!(of(artifact, version), group, "{artifact}");
        }
        assert!(GROUPS.is_sorted(), "in order");
    }
}
