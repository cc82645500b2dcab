//! Passwords: argon2id, away from the async threads, a few at a time.

use std::sync::Arc;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Argon2, PasswordHash};
use tokio::sync::Semaphore;

use super::Error;

/// One hash takes 19 MiB and tens of milliseconds: sign-ins wait for each other rather than for
/// memory.
const AT_A_TIME: usize = 2;
const MIN_CHARS: usize = 8;
const MAX_BYTES: usize = 1_024;

/// The hash of a password that nobody has, so that an unknown name takes as long as a known one.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$\
     Y29uZGFnYXRlLW5vYm9keQ$0zzNTbtoqVfvbbgFpLUTB8kPSaHKlGV6vpnUrjK4Tm8";

/// Hashes and verifies. Cheap to clone.
#[derive(Clone)]
pub(super) struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_A_TIME)))
    }
}

/// A password that somebody may have.
pub(super) fn check(password: &str) -> Result<(), Error> {
    if password.chars().count() < MIN_CHARS || password.len() > MAX_BYTES {
        return Err(Error::invalid("password", "use 8 characters to 1024 bytes"));
    }
    Ok(())
}

impl Passwords {
    /// The text to store for a password.
    pub(super) async fn hash(&self, password: &str) -> Result<String, Error> {
        check(password)?;
        let password = password.to_owned();
        let hash = self.blocking(move || Argon2::default().hash_password(password.as_bytes()));
        let hash = hash.await?.map_err(|e| Error::Internal(format!("hashing a password: {e}")))?;
        Ok(hash.to_string())
    }

    /// Whether the password is that of the stored text; none is as slow as a wrong one.
    pub(super) async fn verify(&self, password: &str, stored: Option<&str>) -> Result<bool, Error> {
        let known = stored.is_some();
        let stored = stored.unwrap_or(NOBODY).to_owned();
        let password: String = password.chars().take(MAX_BYTES).collect();
        let right = self.blocking(move || {
            PasswordHash::new(&stored).is_ok_and(|hash| {
                Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
            })
        });
        Ok(right.await? && known)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let turn = Arc::clone(&self.0).acquire_owned().await;
        let turn = turn.map_err(|e| Error::Internal(e.to_string()))?;
        // The turn goes along: a caller that went away doesn't free it before the work is done.
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(|e| Error::Internal(format!("hashing a password: {e}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_opens() {
        let passwords = Passwords::default();
        let stored = passwords.hash("correct horse").await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(passwords.verify("correct horse", Some(&stored)).await.unwrap());
        assert!(!passwords.verify("correct horsf", Some(&stored)).await.unwrap());
        assert!(!passwords.verify("correct horse", None).await.unwrap());
        assert!(passwords.hash("short").await.is_err());
    }

    #[test]
    fn nobody_costs_as_much_as_somebody() {
        let nobody = argon2::Params::try_from(&PasswordHash::new(NOBODY).unwrap()).unwrap();
        let ours = argon2::Params::default();
        let cost = |params: &argon2::Params| (params.m_cost(), params.t_cost(), params.p_cost());
        assert_eq!(cost(&nobody), cost(&ours));
    }
}
