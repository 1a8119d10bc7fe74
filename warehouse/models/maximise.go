package models

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
)

const (
	// maxIterations bounds BFGS from one start.
	maxIterations = 300
	// flatEnough is the largest derivative of the mean log-likelihood by a
	// log-parameter that counts as zero.
	flatEnough = 1e-7
	// sameOptimum is by how much optima of the mean log-likelihood may differ.
	sameOptimum = 1e-6
	// edge is how far a log-parameter may go: beyond it the data do not bound it.
	edge = 14.0
	// hessianStep is the step in log-parameters for differences of gradients.
	hessianStep = 1e-4
	// settled is the derivative at which steps end.
	settled = 1e-10
	// maxApproaches bounds the steps with the scouts' curvature.
	maxApproaches = 30
	// newtonSteps are taken at the end: BFGS's line search ends early.
	newtonSteps = 4
	// scoutCells is the most cells that starts are compared on.
	scoutCells = 4000
	// chunkCells is how many cells are summed at once: fixed, so that sums do not
	// depend on the number of cores.
	chunkCells = 4096
)

// ErrTooFew says that there are too few data for a fit that means anything.
var ErrTooFew = errors.New("models: too few data")

// ErrNotConverged says that no maximum was found inside the range of parameters.
var ErrNotConverged = errors.New("models: the fit did not converge")

// Fit says how a fit went.
type Fit struct {
	// Model is its name: NameBGNBD and the others.
	Model string
	// Names, Values and StandardErrors are of the parameters, in the order of the
	// papers, in weeks or major units; standard errors are from the observed
	// information.
	Names                  []string
	Values, StandardErrors []float64
	// LogLikelihood is the maximum, without constants that the parameters do not
	// touch.
	LogLikelihood float64
	// Customers and Cells are how many were fitted, and how many were distinct.
	Customers float64
	Cells     int
	// Iterations on all data; Gradient is the largest derivative of the
	// mean log-likelihood by a log-parameter at the end.
	Iterations int
	Gradient   float64
	// Starts were tried; Agreeing of them came to this maximum.
	Starts, Agreeing int
}

// likelihood adds a chunk's log-likelihood and, where gradient is not nil, its
// derivatives by the parameters.
type likelihood[C any] func(parameters []float64, cells []C, gradient []float64) float64

// problem is one maximisation over positive parameters.
type problem[C any] struct {
	model  string
	names  []string
	cells  []C
	weight func(*C) float64
	of     likelihood[C]
	starts [][]float64
}

// sum is the mean log-likelihood at log-parameters and its gradient by them.
func (p *problem[C]) sum(cells []C, total float64, logs, gradient []float64) float64 {
	parameters := make([]float64, len(logs))
	for i, v := range logs {
		parameters[i] = math.Exp(v)
	}
	chunks := (len(cells) + chunkCells - 1) / chunkCells
	values, gradients := make([]float64, chunks), make([][]float64, chunks)
	var group sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range chunks {
		gradients[i] = make([]float64, len(logs))
		part := cells[i*chunkCells : min((i+1)*chunkCells, len(cells))]
		slots <- struct{}{}
		group.Go(func() {
			values[i] = p.of(parameters, part, gradients[i])
			<-slots
		})
	}
	group.Wait()
	value := 0.0
	clear(gradient)
	for i := range chunks {
		value += values[i]
		for j := range gradient {
			gradient[j] += gradients[i][j] * parameters[j] / total
		}
	}
	return value / total
}

func (p *problem[C]) total(cells []C) float64 {
	n := 0.0
	for i := range cells {
		n += p.weight(&cells[i])
	}
	return n
}

// climb runs BFGS from log-parameters.
func (p *problem[C]) climb(cells []C, from []float64) (at []float64, value float64, iterations int, err error) {
	total := p.total(cells)
	// The line search asks for value and gradient at the same place.
	n := len(from)
	place, slope, last := make([]float64, n), make([]float64, n), math.NaN()
	ask := func(x []float64) {
		same := !math.IsNaN(last)
		for i := range x {
			same = same && x[i] == place[i]
		}
		if same {
			return
		}
		copy(place, x)
		last = p.sum(cells, total, x, slope)
	}
	result, err := optimize.Minimize(optimize.Problem{
		Func: func(x []float64) float64 {
			for _, v := range x {
				if math.Abs(v) > 2*edge {
					return math.Inf(1)
				}
			}
			ask(x)
			if math.IsNaN(last) {
				return math.Inf(1)
			}
			return -last
		},
		Grad: func(gradient, x []float64) {
			ask(x)
			for i, g := range slope {
				gradient[i] = -g
			}
		},
	}, from, &optimize.Settings{GradientThreshold: flatEnough, MajorIterations: maxIterations, Converger: &optimize.FunctionConverge{Absolute: 1e-13, Iterations: 10}}, &optimize.BFGS{})
	if result == nil {
		return nil, 0, 0, err
	}
	// A line search that finds nothing better has arrived, or Newton goes on.
	return result.X, -result.F, result.MajorIterations, nil
}

// maximise climbs from all starts on a part of the data (all of it, where it is
// small), then from the best optimum on all of it, and ends with Newton steps.
func (p *problem[C]) maximise() (parameters []float64, fit Fit, err error) {
	fit = Fit{Model: p.model, Names: p.names, Customers: p.total(p.cells), Cells: len(p.cells), Starts: len(p.starts)}
	scouts := p.scouts()
	best, bestValue := []float64(nil), math.Inf(-1)
	var values []float64
	for _, s := range p.starts {
		at, value, _, err := p.climb(scouts, logs(s))
		if err != nil || math.IsInf(value, 0) {
			continue
		}
		values = append(values, value)
		if value > bestValue {
			best, bestValue = at, value
		}
	}
	if best == nil {
		return nil, fit, fmt.Errorf("%w: %s: no start has a likelihood", ErrNotConverged, p.model)
	}
	for _, v := range values {
		if bestValue-v <= sameOptimum {
			fit.Agreeing++
		}
	}
	at := p.approach(scouts, best, &fit)
	if at == nil {
		if at, _, fit.Iterations, err = p.climb(p.cells, best); err != nil {
			return nil, fit, fmt.Errorf("%w: %s: %w", ErrNotConverged, p.model, err)
		}
	}
	for i, v := range at {
		if math.Abs(v) > edge {
			return nil, fit, fmt.Errorf("%w: %s: parameter %s goes to %.3g without end: these data do not bound it", ErrNotConverged, p.model, p.names[i], math.Exp(v))
		}
	}
	if err := p.finish(at, &fit); err != nil {
		return nil, fit, err
	}
	return fit.Values, fit, nil
}

// approach goes from the optimum of the scouts to that of all data with the scouts'
// curvature: a few sums where BFGS, which knows no curvature yet, takes many. nil
// when it does not get there.
func (p *problem[C]) approach(scouts []C, from []float64, fit *Fit) []float64 {
	var chol mat.Cholesky
	if !chol.Factorize(p.information(scouts, from, p.total(scouts))) {
		return nil
	}
	at, gradient := append([]float64(nil), from...), make([]float64, len(from))
	for value := math.Inf(-1); fit.Iterations < maxApproaches; fit.Iterations++ {
		now := p.sum(p.cells, fit.Customers, at, gradient)
		if largest(gradient) < settled {
			return at
		}
		var move mat.VecDense
		if !(now >= value-1e-12) || chol.SolveVecTo(&move, mat.NewVecDense(len(at), gradient)) != nil {
			return nil
		}
		value = now
		for i := range at {
			at[i] += move.AtVec(i)
		}
	}
	return nil
}

// scouts is every n-th cell.
func (p *problem[C]) scouts() []C {
	step := (len(p.cells) + scoutCells - 1) / scoutCells
	if step <= 1 {
		return p.cells
	}
	var out []C
	for i := 0; i < len(p.cells); i += step {
		out = append(out, p.cells[i])
	}
	return out
}

// finish takes Newton steps and fills in the fit at the optimum.
func (p *problem[C]) finish(at []float64, fit *Fit) error {
	n := len(at)
	gradient := make([]float64, n)
	value := p.sum(p.cells, fit.Customers, at, gradient)
	var chol mat.Cholesky
	for step := 0; ; step++ {
		if !chol.Factorize(p.information(p.cells, at, fit.Customers)) {
			return fmt.Errorf("%w: %s: the likelihood has no peak there (the information matrix is not positive definite)", ErrNotConverged, p.model)
		}
		if step == newtonSteps || largest(gradient) < settled {
			break
		}
		var move mat.VecDense
		if err := chol.SolveVecTo(&move, mat.NewVecDense(n, gradient)); err != nil {
			break // ill conditioned: judged by the gradient below
		}
		next, slope := make([]float64, n), make([]float64, n)
		for i := range next {
			next[i] = at[i] + move.AtVec(i)
		}
		better := p.sum(p.cells, fit.Customers, next, slope)
		if !(better >= value) && !(largest(slope) < largest(gradient)) {
			break
		}
		at, value, gradient = next, better, slope
	}
	fit.Gradient, fit.LogLikelihood = largest(gradient), value*fit.Customers
	if !(fit.Gradient < flatEnough) {
		return fmt.Errorf("%w: %s: the slope is still %.2g after %d steps", ErrNotConverged, p.model, fit.Gradient, fit.Iterations)
	}
	var inverse mat.SymDense
	if err := chol.InverseTo(&inverse); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrNotConverged, p.model, err)
	}
	for i, v := range at {
		// Delta method: the parameter's error is that of its logarithm times itself.
		fit.Values = append(fit.Values, math.Exp(v))
		fit.StandardErrors = append(fit.StandardErrors, math.Exp(v)*math.Sqrt(inverse.At(i, i)/fit.Customers))
	}
	return nil
}

// information is the negative Hessian of the mean log-likelihood by log-parameters:
// central differences of the gradient, error about hessianStep².
func (p *problem[C]) information(cells []C, at []float64, total float64) *mat.SymDense {
	n := len(at)
	rows := make([][]float64, n)
	for i := range n {
		up, down := make([]float64, n), make([]float64, n)
		moved := append([]float64(nil), at...)
		moved[i] = at[i] + hessianStep
		p.sum(cells, total, moved, up)
		moved[i] = at[i] - hessianStep
		p.sum(cells, total, moved, down)
		for j := range up {
			up[j] = (down[j] - up[j]) / (2 * hessianStep)
		}
		rows[i] = up
	}
	out := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			out.SetSym(i, j, (rows[i][j]+rows[j][i])/2)
		}
	}
	return out
}

func logs(parameters []float64) []float64 {
	out := make([]float64, len(parameters))
	for i, v := range parameters {
		out[i] = math.Log(v)
	}
	return out
}

func largest(v []float64) float64 {
	most := 0.0
	for _, x := range v {
		if !(math.Abs(x) <= most) {
			most = math.Abs(x)
		}
	}
	return most
}
