package models

import (
	"context"
	"fmt"
	"time"

	"github.com/punchcard/punchcard/warehouse"
)

const (
	// predictionRows are written at once.
	predictionRows = 200_000
	// KeptRuns is how many runs keep their predictions; rows of model_runs stay.
	KeptRuns = 30
)

// write appends the predictions, then the rows that vouch for them, and drops the
// predictions of old runs.
func (r *Report) write(ctx context.Context, w *warehouse.Warehouse) error {
	for from := 0; from < len(r.ids); from += predictionRows {
		to := min(from+predictionRows, len(r.ids))
		if err := w.Insert(ctx, "model_predictions", fmt.Sprintf("%s/%d", r.RunID, from), r.predictions(from, to)); err != nil {
			return err
		}
	}
	if err := w.Insert(ctx, "model_runs", r.RunID, r.runs()); err != nil {
		return err
	}
	_, _, err := w.Ask(ctx, fmt.Sprintf(`ALTER TABLE model_predictions DELETE WHERE run_id NOT IN
		(SELECT run_id FROM model_runs GROUP BY run_id ORDER BY max(run_time) DESC LIMIT %d)`, KeptRuns), nil)
	return err
}

func (r *Report) predictions(from, to int) []warehouse.Column {
	n := to - from
	text := func(v string) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = v
		}
		return out
	}
	number := func(of func(int) float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = of(from + i)
		}
		return out
	}
	x := make([]int32, n)
	for i := range x {
		x[i] = int32(r.customers[from+i].X)
	}
	return []warehouse.Column{
		{Name: "run_id", Values: text(r.RunID)},
		{Name: "customer_id", Values: r.ids[from:to]},
		{Name: "repeat_purchases", Values: x},
		{Name: "recency_weeks", Values: number(func(i int) float64 { return r.customers[i].Recency })},
		{Name: "age_weeks", Values: number(func(i int) float64 { return r.customers[i].Age })},
		{Name: "mean_spend", Values: number(func(i int) float64 { return r.customers[i].Mean })},
		{Name: "p_alive", Values: number(func(i int) float64 { return r.values[i].Alive })},
		{Name: "alive_model", Values: text(r.models[1])},
		{Name: "expected_purchases", Values: number(func(i int) float64 { return r.values[i].Purchases })},
		{Name: "purchases_model", Values: text(r.models[0])},
		{Name: "order_value", Values: number(func(i int) float64 { return r.values[i].OrderValue })},
		{Name: "spend_model", Values: text(r.models[2])},
		{Name: "expected_spend", Values: number(func(i int) float64 { return r.values[i].Spend })},
		{Name: "discounted_value", Values: number(func(i int) float64 { return r.values[i].Discounted })},
	}
}

// each makes a column of the run's models.
func each[V any](r *Report, name string, of func(*ModelRun) V) warehouse.Column {
	out := make([]V, len(r.Models))
	for i := range r.Models {
		out[i] = of(&r.Models[i])
	}
	return warehouse.Column{Name: name, Values: out}
}

func (r *Report) runs() []warehouse.Column {
	tested := func(m *ModelRun, day time.Time) time.Time {
		if m.Test.Weeks == 0 {
			return time.Unix(0, 0).UTC()
		}
		return day
	}
	return []warehouse.Column{
		each(r, "run_id", func(*ModelRun) string { return r.RunID }),
		each(r, "model", func(m *ModelRun) string { return m.Model }),
		each(r, "run_time", func(*ModelRun) int64 { return r.Time.UnixMilli() }),
		each(r, "as_of", func(*ModelRun) time.Time { return r.AsOf }),
		each(r, "currency", func(*ModelRun) string { return r.Currency }),
		each(r, "used_for", func(m *ModelRun) string { return m.UsedFor }),
		each(r, "is_converged", func(m *ModelRun) bool { return m.Problem == nil }),
		each(r, "problem", func(m *ModelRun) string { return m.problem() }),
		each(r, "parameters", func(m *ModelRun) []string { return m.Names[:len(m.Values)] }),
		each(r, "estimates", func(m *ModelRun) []float64 { return append([]float64{}, m.Values...) }),
		each(r, "standard_errors", func(m *ModelRun) []float64 { return append([]float64{}, m.StandardErrors...) }),
		each(r, "log_likelihood", func(m *ModelRun) float64 { return m.LogLikelihood }),
		each(r, "customers", func(m *ModelRun) int64 { return int64(m.Customers) }),
		each(r, "distinct_customers", func(m *ModelRun) int64 { return int64(m.Cells) }),
		each(r, "iterations", func(m *ModelRun) int32 { return int32(m.Iterations) }),
		each(r, "starts", func(m *ModelRun) int32 { return int32(m.Starts) }),
		each(r, "agreeing_starts", func(m *ModelRun) int32 { return int32(m.Agreeing) }),
		each(r, "test_from", func(m *ModelRun) time.Time { return tested(m, r.Cut) }),
		each(r, "test_days", func(m *ModelRun) int32 { return int32(m.Test.Weeks*week + 0.5) }),
		each(r, "test_customers", func(m *ModelRun) int64 { return int64(m.Test.Customers) }),
		each(r, "test_predicted_purchases", func(m *ModelRun) float64 { return m.Test.PredictedPurchases }),
		each(r, "test_actual_purchases", func(m *ModelRun) float64 { return m.Test.ActualPurchases }),
		each(r, "test_mean_absolute_error", func(m *ModelRun) float64 { return m.Test.MeanAbsoluteError }),
		each(r, "test_root_mean_square_error", func(m *ModelRun) float64 { return m.Test.RootMeanSquareError }),
		each(r, "test_predicted_spend", func(m *ModelRun) float64 { return m.Test.PredictedSpend }),
		each(r, "test_actual_spend", func(m *ModelRun) float64 { return m.Test.ActualSpend }),
		each(r, "discount_rate", func(*ModelRun) float64 { return r.DiscountRate }),
		each(r, "caveat", func(m *ModelRun) string { return m.Caveat }),
	}
}

func (m *ModelRun) problem() string {
	if m.Problem == nil {
		return ""
	}
	return m.Problem.Error()
}
