// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/statistics.h"

#include "app/lab/random_numbers.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace namsan {

namespace {

constexpr size_t resamples = 2000;

double medianInPlace(std::vector<double>& values)
{
    const size_t middle = values.size() / 2;
    const auto upper = values.begin() + static_cast<std::ptrdiff_t>(middle);
    std::nth_element(values.begin(), upper, values.end());
    if (values.size() % 2 == 1)
        return *upper;
    return (*std::max_element(values.begin(), upper) + *upper) / 2;
}

// One resample's median.
class Resampler {
public:
    explicit Resampler(std::span<const double> values)
        : m_values(values)
        , m_drawn(values.size())
    {
    }

    double median(RandomNumbers& random)
    {
        for (double& drawn : m_drawn)
            drawn = m_values[random.below(m_values.size())];
        return medianInPlace(m_drawn);
    }

private:
    std::span<const double> m_values;
    std::vector<double> m_drawn;
};

Interval middleOf(std::vector<double> results)
{
    constexpr double tail = 0.025;
    std::ranges::sort(results);
    const auto within = static_cast<size_t>(std::floor(tail * static_cast<double>(results.size())));
    const size_t outside = std::max<size_t>(within, 1) - 1;
    return { results[outside], results[results.size() - 1 - outside] };
}

} // namespace

double median(std::vector<double> values)
{
    assert(!values.empty());
    return medianInPlace(values);
}

std::optional<Interval> medianInterval(std::span<const double> values, uint64_t seed)
{
    if (values.size() < fewestForInterval)
        return std::nullopt;
    RandomNumbers random(seed);
    Resampler resampler(values);
    std::vector<double> medians(resamples);
    for (double& result : medians)
        result = resampler.median(random);
    return middleOf(std::move(medians));
}

std::optional<Interval> ratioInterval(std::span<const double> values, std::span<const double> base, uint64_t seed)
{
    if (values.size() < fewestForInterval || base.size() < fewestForInterval)
        return std::nullopt;
    RandomNumbers random(seed);
    Resampler above(values);
    Resampler below(base);
    std::vector<double> ratios;
    for (size_t i = 0; i < resamples; ++i) {
        const double numerator = above.median(random);
        if (const double denominator = below.median(random); denominator > 0)
            ratios.push_back(numerator / denominator);
    }
    if (ratios.size() < resamples)
        return std::nullopt; // a guest that measures no time at all has no ratio
    return middleOf(std::move(ratios));
}

} // namespace namsan
