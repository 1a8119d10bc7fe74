-- chi_square: probability of a chi-square statistic at least as large by chance: SELECT * FROM chi_square(statistic = 3.841459, freedom = 1).
--
-- Meaning: p below .001 or so: not chance.
-- Formula: even degrees of freedom ν: e^(−x/2) Σ (x/2)^i / i! for i < ν/2; odd: erfc(√(x/2)) + e^(−x/2) Σ (x/2)^(i−1/2) / Γ(i+1/2) for
--          i = 1 … (ν−1)/2.
-- Base:    one statistic.
-- Unit:    probability 0-1.
-- Source:  Abramowitz & Stegun 26.4.4, 26.4.5.
CREATE OR REPLACE VIEW chi_square
(
    p Float64 COMMENT 'Probability of a value at least as large, 0-1'
)
AS WITH
    (x, v) -> if(v % 2 = 0,
        exp(-x / 2) * arraySum(i -> pow(x / 2, i) / exp(lgamma(i + 1)), range(toUInt32(intDiv(v, 2)))),
        erfc(sqrt(x / 2)) + exp(-x / 2) * arraySum(i -> pow(x / 2, i + 0.5) / exp(lgamma(i + 1.5)), range(toUInt32(intDiv(v, 2))))) AS tail
SELECT tail({statistic:Float64}, {freedom:UInt32}) AS p
COMMENT 'Probability of a chi-square statistic (a helper with parameters). Base: what is given. Unit: probability. Source: Abramowitz & Stegun 26.4'
