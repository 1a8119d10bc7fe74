-- model_parameters: the parameters of the newest run, one a row.
--
-- Meaning: estimate ± standard_error at the maximum of the likelihood; low and high = estimate ∓ 1.96 standard errors.
-- Base:    models of the newest run that converged.
-- Unit:    one row = one parameter of one model; times in weeks, money in major units.
-- Source:  model_runs.
CREATE OR REPLACE VIEW model_parameters
(
    model String COMMENT 'Name of the model',
    used_for String COMMENT 'What the predictions take from it; empty: nothing',
    parameter String COMMENT 'Name of the parameter, as in the papers',
    estimate Float64 COMMENT 'Value at the maximum',
    standard_error Float64 COMMENT 'Standard error, from the observed information',
    low Float64 COMMENT 'estimate - 1.96 standard errors',
    high Float64 COMMENT 'estimate + 1.96 standard errors',
    as_of Date32 COMMENT 'Last day that the run knows, program''s time zone',
    run_id String COMMENT 'The run'
)
AS SELECT
    m.model AS model,
    m.used_for AS used_for,
    name AS parameter,
    value AS estimate,
    deviation AS standard_error,
    value - 1.96 * deviation AS low,
    value + 1.96 * deviation AS high,
    m.as_of AS as_of,
    m.run_id AS run_id
FROM model_runs AS m
ARRAY JOIN m.parameters AS name, m.estimates AS value, m.standard_errors AS deviation
WHERE m.run_id = (SELECT argMax(n.run_id, (n.run_time, n.run_id)) FROM model_runs AS n)
COMMENT 'The parameters of the newest run, one a row. Base: models that converged. Unit: one parameter. Source: model_runs';
