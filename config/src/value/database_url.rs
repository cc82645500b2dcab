//! The database's URL.

use std::path::Path;

use super::secret::MASK;
use super::{FromFile, Raw, Refusal, Secret, Value, quote};

/// Which database engine a [`DatabaseUrl`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    /// The embedded default, for one machine.
    Sqlite,
    /// For more than one gateway machine.
    PostgreSql,
}

/// Where the database is: `sqlite://FILE` or `postgres://USER@HOST/DATABASE`. A secret, since it
/// may hold a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseUrl {
    kind: DatabaseKind,
    url: Secret,
}

impl DatabaseUrl {
    /// The database engine.
    pub fn kind(&self) -> DatabaseKind {
        self.kind
    }

    /// The URL with its password, for the one place that connects.
    pub fn reveal(&self) -> &str {
        self.url.reveal()
    }

    /// The URL for people, its password masked.
    pub fn masked(&self) -> String {
        match self.kind {
            DatabaseKind::Sqlite => self.reveal().to_owned(),
            DatabaseKind::PostgreSql => mask_user(&mask_query(self.reveal())),
        }
    }

    /// The SQLite database in `file`: a relative path is taken from the working directory.
    pub fn sqlite(file: &str) -> Self {
        Self { kind: DatabaseKind::Sqlite, url: Secret::new(format!("sqlite://{file}")) }
    }

    fn from_secret(secret: Secret, folder: &Path) -> Result<Self, Refusal> {
        let url = secret.reveal();
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self { kind: DatabaseKind::PostgreSql, url: secret });
        }
        let file = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
        let file = file.filter(|file| !file.is_empty());
        let file = file.ok_or_else(|| Refusal::new("is not a URL of SQLite or PostgreSQL"))?;
        let url = Secret { value: format!("sqlite://{file}"), file: secret.file.clone() };
        Ok(Self { kind: DatabaseKind::Sqlite, url }.in_folder(folder))
    }
}

/// A folder as it stands in a SQLite URL, where `?` begins the parameters and `%` an escape.
fn escape(folder: &str) -> String {
    folder.trim_end_matches('/').replace('%', "%25").replace('?', "%3F")
}

/// Masks the password in `postgres://USER:PASSWORD@HOST`. A password may hold an unescaped `/`
/// or `@`, so everything up to the last `@` counts.
fn mask_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return MASK.to_owned() };
    match rest.rsplit_once('@').map(|(user, host)| (user.split_once(':'), host)) {
        Some((Some((user, _password)), host)) => format!("{scheme}://{user}:{MASK}@{host}"),
        _ => url.to_owned(),
    }
}

/// Masks the parameters that may hold a password: `password`, `sslpassword`.
fn mask_query(url: &str) -> String {
    let Some((place, query)) = url.split_once('?') else { return url.to_owned() };
    let mask = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if name.to_ascii_lowercase().contains("password") => {
            format!("{name}={MASK}")
        }
        _ => pair.to_owned(),
    };
    let pairs: Vec<String> = query.split('&').map(mask).collect();
    format!("{place}?{}", pairs.join("&"))
}

impl Value for DatabaseUrl {
    const SENSITIVE: bool = true;

    fn accepted() -> String {
        r#""sqlite://FILE" or "postgres://USER@HOST/DATABASE""#.to_owned()
    }

    fn parse(raw: &Raw, folder: &Path) -> Result<Self, Refusal> {
        Self::from_secret(Secret::parse(raw, folder)?, folder)
    }

    fn render(&self) -> Option<String> {
        Some(quote(&self.masked()))
    }

    fn in_folder(self, folder: &Path) -> Self {
        match self.reveal().strip_prefix("sqlite://") {
            Some(file) if !file.starts_with([':', '/']) && !folder.as_os_str().is_empty() => {
                let value = format!("sqlite://{}/{file}", escape(&folder.to_string_lossy()));
                Self { url: Secret { value, ..self.url }, ..self }
            }
            _ => self,
        }
    }

    fn from_file() -> Option<FromFile<Self>> {
        Secret::from_file()?;
        Some(|content, path, folder| {
            let secret = Secret { value: content.to_owned(), file: Some(path) };
            Self::from_secret(secret, folder)
        })
    }

    fn file(&self) -> Option<&Path> {
        self.url.file()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str, folder: &str) -> DatabaseUrl {
        DatabaseUrl::parse(&Raw::from(url), Path::new(folder)).unwrap()
    }

    #[test]
    fn a_relative_file_belongs_to_the_folder() {
        assert_eq!(parse("sqlite://a.db", "/etc/c").reveal(), "sqlite:///etc/c/a.db");
        assert_eq!(
            parse("sqlite:a.db?mode=ro", "/etc/c/").reveal(),
            "sqlite:///etc/c/a.db?mode=ro"
        );
        assert_eq!(parse("sqlite://a.db", "/x?%").reveal(), "sqlite:///x%3F%25/a.db");
        assert_eq!(parse("sqlite:///a.db", "/etc/c").reveal(), "sqlite:///a.db");
        assert_eq!(parse("sqlite::memory:", "/etc/c").reveal(), "sqlite://:memory:");
        assert_eq!(parse("sqlite://a.db", ""), DatabaseUrl::sqlite("a.db"));
    }

    #[test]
    fn passwords_are_masked() {
        for (url, masked) in [
            ("postgres://u:p@h/d", "postgres://u:********@h/d"),
            ("postgresql://u:p/@x:y@h/d", "postgresql://u:********@h/d"),
            ("postgres://u@h:5432/d", "postgres://u@h:5432/d"),
            ("postgres:///d?user=u&password=p", "postgres:///d?user=u&password=********"),
            ("postgres:///d?password=a:b@c", "postgres:///d?password=********"),
            ("postgres://u:p?q@h/d", "postgres://u:********@h/d"),
        ] {
            assert_eq!(parse(url, "").masked(), masked);
            assert!(!format!("{:?}", parse(url, "")).contains("postgres"));
        }
    }

    #[test]
    fn others_are_refused_without_repeating_them() {
        for url in ["", "sqlite://", "mysql://u:hidden@h/d", "hidden"] {
            let refusal = DatabaseUrl::parse(&Raw::from(url), Path::new("")).unwrap_err();
            assert!(!refusal.reason.contains("hidden"));
        }
    }
}
