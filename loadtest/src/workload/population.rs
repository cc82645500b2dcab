//! The tokens that requests come with, and how often each does.

use access::TokenSecret;

/// A token, and how a request with it must be answered.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) secret: TokenSecret,
    pub(crate) status: u16,
}

/// Tokens, some of which are seen more often than others.
#[derive(Debug, Default)]
pub(crate) struct Population {
    tokens: Vec<Token>,
    /// Where each token's part of the drawn numbers ends, as a share of all.
    ends: Vec<f64>,
}

impl Population {
    /// Each as often as any other.
    pub(crate) fn even(tokens: Vec<Token>) -> Self {
        Self::weighted(tokens, |_| 1.0)
    }

    /// The second half as often as the first, the third a third as often, and so on (Zipf's law):
    /// few machines ask most of the time.
    pub(crate) fn by_rank(tokens: Vec<Token>) -> Self {
        Self::weighted(tokens, |rank| 1.0 / rank)
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of tokens is below 2^52")]
    fn weighted(tokens: Vec<Token>, weight: impl Fn(f64) -> f64) -> Self {
        let mut sum = 0.0;
        let mut ends: Vec<f64> = (1..=tokens.len())
            .map(|rank| {
                sum += weight(rank as f64);
                sum
            })
            .collect();
        ends.iter_mut().for_each(|end| *end /= sum);
        Self { tokens, ends }
    }

    /// The same, but with `others`, each as often as any other, making up `share` of all.
    #[expect(clippy::cast_precision_loss, reason = "a count of tokens is below 2^52")]
    pub(crate) fn beside(&self, others: Vec<Token>, share: f64) -> Self {
        let count = others.len() as f64;
        let own = self.ends.iter().map(|end| end * (1.0 - share));
        let their = (1..=others.len()).map(|n| 1.0 - share + share * n as f64 / count);
        let ends = own.chain(their).collect();
        Self { tokens: self.tokens.iter().cloned().chain(others).collect(), ends }
    }

    /// The token for a number that is drawn from all 64-bit numbers evenly; none where there are
    /// no tokens.
    #[expect(clippy::cast_precision_loss, reason = "2^-53 more or less of a chance")]
    pub(crate) fn draw(&self, drawn: u64) -> Option<&Token> {
        let share = drawn as f64 / u64::MAX as f64;
        let at = self.ends.partition_point(|end| *end < share);
        self.tokens.get(at).or(self.tokens.last())
    }

    /// A token that is let in.
    pub(crate) fn allowed(&self) -> Option<&Token> {
        self.tokens.iter().find(|token| token.status == 200)
    }

    /// All of them.
    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::mix;

    fn tokens(count: usize, status: u16) -> Vec<Token> {
        let token = |_| Token { secret: TokenSecret::generate().unwrap(), status };
        (0..count).map(token).collect()
    }

    /// How often each of `of` is drawn in 100,000 times.
    fn counts(of: &Population) -> Vec<usize> {
        let mut counts = vec![0; of.tokens.len()];
        for number in 0..100_000 {
            let token = of.draw(mix(number)).unwrap();
            counts[of.tokens.iter().position(|t| std::ptr::eq(t, token)).unwrap()] += 1;
        }
        counts
    }

    #[test]
    fn the_first_is_drawn_as_often_as_its_rank_says() {
        let counts = counts(&Population::by_rank(tokens(4, 200)));
        // Of 1 + 1/2 + 1/3 + 1/4 = 25/12.
        for (count, expected) in counts.iter().zip([48_000, 24_000, 16_000, 12_000]) {
            assert!(count.abs_diff(expected) < 800, "{counts:?}");
        }
    }

    #[test]
    fn others_make_up_their_share() {
        let ours = Population::even(tokens(2, 200));
        let counts = counts(&ours.beside(tokens(5, 401), 0.1));
        for (count, expected) in counts.iter().zip([45_000, 45_000, 2_000, 2_000, 2_000]) {
            assert!(count.abs_diff(expected) < 800, "{counts:?}");
        }
        assert!(Population::default().draw(7).is_none());
    }
}
