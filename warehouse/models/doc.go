// Package models fits what customers will buy: how often (BG/NBD, MBG/NBD,
// Pareto/NBD, NBD), for how much (Gamma-Gamma), and what that is worth.
//
// Model. Of a customer three numbers are enough: x, the repeat purchases;
// t_x, the age at the last one; T, the age now; in weeks from the first purchase,
// all orders of one day being one purchase. Log-likelihoods are sums over
// counts of distinct (x, t_x, T), maximised in log-parameters by BFGS with
// analytic gradients from several starts; standard errors come from the observed
// information. Run reads customers as of a day, fits, tests itself on a hold-out
// and writes tables model_runs and model_predictions.
//
// Owns: the models, the run, what its two tables mean.
//
// Does not own: the connection (package warehouse), tables and views (package
// sql), when to run (cmd).
//
// Invariants:
//   - Fitting is a function of its input: no clock, randomness or I/O; sums are
//     taken in one order whatever the number of cores.
//   - A fit that did not converge says so; nothing predicts from it.
//   - Too little data is an error that says how much is needed, not a number.
//   - A run is written predictions first, then the row of model_runs that vouches
//     for them: readers see a whole run or none of it.
//   - The published figures of the CDNOW sample come out (cdnow_test.go).
package models
