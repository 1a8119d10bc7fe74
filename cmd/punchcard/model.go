package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"github.com/punchcard/punchcard/warehouse"
	engine "github.com/punchcard/punchcard/warehouse/embedded"
	"github.com/punchcard/punchcard/warehouse/models"
)

// modelCommand fits what customers will buy.
type modelCommand struct {
	Fit  modelFitCommand  `cmd:"" help:"Fit BG/NBD, MBG/NBD, Pareto/NBD, NBD and Gamma-Gamma, test them, predict 12 months."`
	Show modelShowCommand `cmd:"" help:"The newest fit: parameters, errors, back-test, caveats."`
}

type modelFitCommand struct {
	DiscountRate float64 `help:"Yearly rate of the discounted value." default:"0.1" placeholder:"RATE"`
}

type modelShowCommand struct{}

// Run fits, writes and prints.
func (c *modelFitCommand) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	return withWriter(ctx, s, log, func(w *warehouse.Warehouse) error {
		began := time.Now()
		r, err := models.Run(ctx, w, models.Options{Now: wallClock().Std(), DiscountRate: c.DiscountRate})
		if err != nil {
			return err
		}
		if err := showModels(ctx, os.Stdout, w); err != nil {
			return err
		}
		if r.Simulated > 0 {
			fmt.Printf("%d real orders count; %d simulated ones do not\n", r.Orders, r.Simulated)
		}
		fmt.Printf("%d predictions are in view customer_value (%.1f s)\n", r.Customers, time.Since(began).Seconds())
		return nil
	})
}

// Run prints the newest fit.
func (modelShowCommand) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	return withConnection(ctx, s, log, needWarehouse, func(conn *connection) error {
		return showModels(ctx, os.Stdout, conn.warehouse)
	})
}

// errNoModel says that nothing was fitted yet.
var errNoModel = errors.New("there is no fit yet: run punchcard model fit")

// The order of models and parameters on paper.
const (
	modelOrder     = "indexOf(['BG/NBD', 'MBG/NBD', 'Pareto/NBD', 'NBD', 'Gamma-Gamma'], model)"
	parameterOrder = "indexOf(['r', 'alpha', 'a', 'b', 's', 'beta', 'p', 'q', 'gamma'], parameter)"
)

const newestRun = "(SELECT argMax(run_id, (run_time, run_id)) FROM model_runs)"

// showModels prints what the tables say, so that fit and show are the same.
func showModels(ctx context.Context, out io.Writer, w *warehouse.Warehouse) error {
	_, runs, err := w.Ask(ctx, `SELECT model, if(used_for = '', 'to compare', used_for), is_converged, problem, round(log_likelihood, 3), customers, distinct_customers, toString(as_of), toString(test_from), test_days,
		round(test_predicted_purchases), round(test_actual_purchases), round(test_mean_absolute_error, 3), round(test_predicted_spend, 2), round(test_actual_spend, 2), currency, caveat, run_id, discount_rate
		FROM model_runs WHERE run_id = `+newestRun+" ORDER BY "+modelOrder, nil)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return errNoModel
	}
	_, parameters, err := w.Ask(ctx, "SELECT model, parameter, estimate, standard_error FROM model_parameters ORDER BY "+modelOrder+", "+parameterOrder, nil)
	if err != nil {
		return err
	}
	_, sums, err := w.Ask(ctx, "SELECT count(), round(sum(p_alive)), round(sum(expected_purchases)), round(sum(expected_spend), 2), round(sum(discounted_value), 2) FROM customer_value", nil)
	if err != nil {
		return err
	}
	first := runs[0]
	fmt.Fprintf(out, "run %v, as of %v, times in weeks, money in %v\n\n", first[17], first[7], first[15])
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "model\tparameter\testimate\tstandard error")
	for _, p := range parameters {
		fmt.Fprintf(t, "%v\t%v\t%.6g\t%.6g\n", p...)
	}
	fmt.Fprintln(t, "\nmodel\tlog-likelihood\tcustomers\tdistinct\tused for")
	for _, r := range runs {
		if r[2] == true {
			fmt.Fprintf(t, "%v\t%.3f\t%v\t%v\t%v\n", r[0], r[4], r[5], r[6], r[1])
		} else {
			fmt.Fprintf(t, "%v\tno fit: %v\n", r[0], r[3])
		}
	}
	printBacktest(t, runs)
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out, "\ncaveats")
	for _, r := range runs {
		fmt.Fprintf(out, "  %v\n", r[16])
	}
	sum := sums[0]
	_, err = fmt.Fprintf(out, "\nnext 12 months: %v customers, %v of them alive (sum of probabilities), %v purchases, spend %.2f, %.2f discounted at %v a year\n", sum[0], sum[1], sum[2], sum[3], sum[4], first[18])
	return err
}

func printBacktest(t io.Writer, runs [][]any) {
	tested := false
	for _, r := range runs {
		if fmt.Sprint(r[9]) == "0" {
			continue
		}
		if !tested {
			fmt.Fprintf(t, "\nback-test: fitted up to %v, %v days predicted\n", r[8], r[9])
			fmt.Fprintln(t, "model\tpurchases\tactual\toff each\tspend\tactual")
		}
		tested = true
		fmt.Fprintf(t, "%v\t%.0f\t%.0f\t%.3f\t%.2f\t%.2f\n", r[0], r[10], r[11], r[12], r[13], r[14])
	}
	if !tested {
		fmt.Fprintln(t, "\nback-test: none: no model has a fit on the first three quarters of the time")
	}
}

// withWriter connects as the one who writes: to what the process that holds the
// data folder uses, or to what is started for this alone.
func withWriter(ctx context.Context, s *Settings, log *slog.Logger, fn func(*warehouse.Warehouse) error) error {
	r, err := findRunning(s)
	if err != nil {
		return err
	}
	if r == nil {
		return writeAlone(ctx, s, log, fn)
	}
	cfg := warehouse.Config{URL: s.Clickhouse, Database: s.database(), Logger: log}
	if r.EmbeddedEngine {
		key, err := engine.ReadWriterKey(s.path("engine"))
		if err != nil {
			return err
		}
		cfg.URL, cfg.User, cfg.Password = r.Clickhouse, writerUser, key
	}
	w, err := warehouse.Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer w.Close()
	return fn(w)
}

func writeAlone(ctx context.Context, s *Settings, log *slog.Logger, fn func(*warehouse.Warehouse) error) error {
	unlock, err := lock(s)
	if err != nil {
		return err
	}
	defer unlock()
	w, e, err := openWarehouse(ctx, s, log)
	if err != nil {
		return err
	}
	if e != nil {
		defer e.Close()
	}
	defer w.Close()
	if err := w.Migrate(ctx); err != nil {
		return err
	}
	return fn(w)
}
