//! Each rule in its order: how it went, which the code tells, and what it saw.

use crate::policy::{Enforcement, GrantKind};

use super::case::Case;
use super::explanation::{Finding, RuleOutcome};
use super::place::{Miss, Target};
use crate::gate::Rule;

impl Case<'_> {
    pub(super) fn findings(&self) -> Vec<Finding> {
        let finding = |rule: Rule| {
            let outcome = self.outcome_of(rule);
            let saw = match outcome {
                RuleOutcome::NotReached if rule != Rule::Operation => Vec::new(),
                RuleOutcome::NotNeeded if self.is_public() => Vec::new(),
                _ => self.saw(rule),
            };
            Finding { rule: rule.number(), name: rule.name().to_owned(), outcome, saw }
        };
        Rule::ALL.into_iter().map(finding).collect()
    }

    fn outcome_of(&self, rule: Rule) -> RuleOutcome {
        let Some(refused_by) = self.refused_by else {
            return match self.refusal {
                Some(_) => RuleOutcome::NotReached,
                None if self.is_needed(rule) => RuleOutcome::Passed,
                None => RuleOutcome::NotNeeded,
            };
        };
        if rule == refused_by {
            return RuleOutcome::Refused;
        }
        let passed = match (rule, refused_by) {
            // Strangers are told of the token first: what rule 2 found is kept for later.
            (Rule::Operation, Rule::Token) => !matches!(self.target(), Target::Refused(_)),
            (Rule::Token, Rule::Operation) => self.is_token_right(),
            _ => rule < refused_by,
        };
        match passed {
            true if self.is_needed(rule) => RuleOutcome::Passed,
            true => RuleOutcome::NotNeeded,
            false => RuleOutcome::NotReached,
        }
    }

    /// Whether a rule has anything to say of this call.
    fn is_needed(&self, rule: Rule) -> bool {
        match rule {
            Rule::Api | Rule::Operation => true,
            _ if self.is_public() => false,
            Rule::Validity => !self.is_open(),
            Rule::Organization => {
                let for_itself = |grant: &_| matches!(grant, GrantKind::Client { .. });
                self.counted().is_some_and(|grant| for_itself(&grant.kind))
            }
            _ => true,
        }
    }

    /// Whether a refusal of the operation says that the token was right: only then is it said, except on
    /// the path of a public operation, and where refusals of tokens are but reported.
    fn is_token_right(&self) -> bool {
        let Some(served) = self.outcome.api else { return false };
        let reports = matches!(served.api.enforcement, Enforcement::Report { tokens: true });
        self.outcome.caller.is_some()
            || !(reports || matches!(self.target(), Target::Refused(Miss { open: true, .. })))
    }

    fn saw(&self, rule: Rule) -> Vec<String> {
        match rule {
            Rule::Api => self.saw_api(),
            Rule::Operation => self.saw_operation(),
            Rule::Token => self.saw_token(),
            Rule::Application => self.saw_application(),
            Rule::SubjectType => self.saw_subject_type(),
            Rule::Policy => self.saw_policy(),
            Rule::Validity => self.saw_validity(),
            Rule::Organization => self.saw_organization(),
            Rule::Ceiling => self.saw_ceiling(),
            Rule::AuthorizationDetails => self.saw_details(),
            Rule::Need => self.saw_need(),
        }
    }
}
