// SPDX-License-Identifier: GPL-2.0-only
#include "picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace xdplb::convergence {
namespace {

constexpr double kWidth = 1000;
constexpr double kLeft = 62;
constexpr double kRight = 840;  // of the plots; names stand beyond
constexpr std::array<const char*, 6> kColors = {"#0072b2", "#d55e00", "#009e73", "#aa4499", "#666666", "#b8860b"};

struct Mark {
  double value = 0;
  std::string text{};
};

// One plot of the page: where it lies, and what its axis means.
struct Panel {
  double top = 0;
  double height = 0;
  double least = 0;
  double most = 1;
  bool is_logarithmic = false;
  std::string title{};
  std::vector<Mark> marks{};
  double y(double value) const {
    const auto scaled = [&](double number) { return is_logarithmic ? std::log(number) : number; };
    const double part = (scaled(std::clamp(value, least, most)) - scaled(least)) / (scaled(most) - scaled(least));
    return top + height * (1 - part);
  }
  double bottom() const { return top + height; }
};

class Page {
 public:
  Page(const Scenario& scenario, const std::vector<Sample>& samples) : scenario_(scenario), samples_(samples) {}

  std::string draw() {
    double most_weight = 0;
    for (const Sample& sample : samples_)
      most_weight = std::max<double>(most_weight, *std::max_element(sample.weights.begin(), sample.weights.end()));
    const Panel shares = {.top = 104,
                          .height = 300,
                          .most = 0.9,
                          .title = "Share of new connections",
                          .marks = {{0, "0"}, {0.2, "20 %"}, {0.4, "40 %"}, {0.6, "60 %"}, {0.8, "80 %"}}};
    const Panel weights = {.top = 454,
                           .height = 120,
                           .most = most_weight * 1.08,
                           .title = "Weight",
                           .marks = {{0, "0"},
                                     {most_weight / 2, fmt::format("{:.0f}", most_weight / 2)},
                                     {most_weight, fmt::format("{:.0f}", most_weight)}}};
    const Panel times = {.top = 624,
                         .height = 150,
                         .least = 0.5,
                         .most = 20000,
                         .is_logarithmic = true,
                         .title = "Response time of the clients' requests",
                         .marks = {{1, "1 ms"}, {10, "10 ms"}, {100, "100 ms"}, {1000, "1 s"}, {10000, "10 s"}}};
    head();
    legend(shares);
    for (const Panel& panel : {shares, weights, times}) frame(panel);
    events(shares, times.bottom());
    capacities(shares);
    lines(shares, 2.4, [](const Sample& sample, std::size_t server) { return sample.share[server]; });
    lines(weights, 1.8, [](const Sample& sample, std::size_t server) { return sample.weights[server]; });
    lines(times, 1.5, [](const Sample& sample, std::size_t server) { return sample.response_ms[server]; });
    names(
        shares, [](const Sample& sample, std::size_t server) { return sample.share[server]; }, true);
    names(
        weights, [](const Sample& sample, std::size_t server) { return sample.weights[server]; }, false);
    names(
        times, [](const Sample& sample, std::size_t server) { return sample.response_ms[server]; }, false);
    seconds(times.bottom());
    return text_ + "</svg>\n";
  }

 private:
  double x(double at_s) const { return kLeft + (kRight - kLeft) * at_s / scenario_.seconds; }
  static const char* color(std::size_t server) { return kColors[server % kColors.size()]; }
  template <typename... Arguments>
  void add(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
    text_ += '\n';
  }

  void head() {
    add("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} 822\" "
        "font-family=\"Helvetica,Arial,sans-serif\" "
        "font-size=\"13\" fill=\"#333\">",
        kWidth);
    add("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>");
    std::string ratio;
    const double least = *std::min_element(scenario_.capacities.begin(), scenario_.capacities.end());
    for (const double capacity : scenario_.capacities)
      ratio += fmt::format("{}{:g}", ratio.empty() ? "" : " : ", capacity / least);
    const std::array<unsigned, 4> part = scenario_.manager.proportions.value_or(std::array<unsigned, 4>{50, 50, 0, 0});
    add("<text x=\"{}\" y=\"34\" font-size=\"21\" font-weight=\"bold\" fill=\"#111\">The manager finds the capacities "
        "{}</text>",
        kLeft, ratio);
    add("<text x=\"{}\" y=\"57\" fill=\"#666\">simulated servers at {:.0f} % load; proportions {} {} {} {}, "
        "sensitivity "
        "{}, weight bound {}, a cycle every {} s</text>",
        kLeft, scenario_.load * 100, part[0], part[1], part[2], part[3], scenario_.manager.sensitivity,
        scenario_.manager.weight_bound, scenario_.manager.interval_s);
  }

  void legend(const Panel& panel) {
    add("<path d=\"M{} {}h34\" stroke=\"#666\" stroke-width=\"1.6\" stroke-dasharray=\"7 5\"/>", kRight + 10,
        panel.top + 4);
    add("<text x=\"{}\" y=\"{}\" font-size=\"12\" fill=\"#666\">its capacity</text>", kRight + 50, panel.top + 8);
  }

  void frame(const Panel& panel) {
    add("<text x=\"{}\" y=\"{:.0f}\" font-weight=\"bold\">{}</text>", kLeft, panel.top - 12, panel.title);
    for (const Mark& mark : panel.marks) {
      const double y = panel.y(mark.value);
      add("<path d=\"M{} {:.1f}H{}\" stroke=\"{}\"/>", kLeft, y, kRight,
          mark.value == panel.least ? "#999" : "#e6e6e6");
      add("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\" fill=\"#666\">{}</text>", kLeft - 8, y + 4.5, mark.text);
    }
    add("<path d=\"M{} {:.1f}H{}\" stroke=\"#999\"/>", kLeft, panel.bottom(), kRight);
  }

  void events(const Panel& first, double bottom) {
    if (!scenario_.slow_server) return;
    const double from = x(scenario_.slow_from_s);
    const double until = x(std::min(scenario_.slow_until_s, scenario_.seconds));
    const char* paint = color(*scenario_.slow_server);
    add("<rect x=\"{:.1f}\" y=\"{:.0f}\" width=\"{:.1f}\" height=\"{:.0f}\" fill=\"{}\" opacity=\".07\"/>", from,
        first.top, until - from, bottom - first.top, paint);
    add("<path d=\"M{:.1f} {:.0f}V{:.0f}M{:.1f} {:.0f}V{:.0f}\" stroke=\"{}\" stroke-opacity=\".6\"/>", from,
        first.top - 8, bottom, until, first.top - 8, bottom, paint);
    add("<text x=\"{:.1f}\" y=\"{:.0f}\" fill=\"{}\">server {} slows down {:g}-fold</text>", from + 5, first.top - 12,
        paint, *scenario_.slow_server + 1, scenario_.slowness);
    add("<text x=\"{:.1f}\" y=\"{:.0f}\" fill=\"{}\">and recovers</text>", until + 5, first.top - 12, paint);
  }

  void capacities(const Panel& panel) {
    for (std::size_t server = 0; server < scenario_.capacities.size(); ++server)
      add("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.6\" stroke-dasharray=\"7 5\" opacity=\".75\"/>",
          steps(panel, [&](const Sample& sample) { return sample.capacity_share[server]; }), color(server));
  }

  // A line that stays until the next sample tells otherwise.
  std::string steps(const Panel& panel, const std::function<double(const Sample&)>& value_of) const {
    std::string path;
    std::string last;
    for (const Sample& sample : samples_) {
      if (panel.is_logarithmic && value_of(sample) <= 0) continue;  // none yet
      const std::string y = fmt::format("{:.1f}", panel.y(value_of(sample)));
      if (path.empty())
        path = fmt::format("M{:.1f} {}", x(sample.at_s), y);
      else if (y != last)
        path += fmt::format("H{:.1f}V{}", x(sample.at_s), y);
      last = y;
    }
    return path + fmt::format("H{}", kRight);
  }

  void lines(const Panel& panel, double width, const std::function<double(const Sample&, std::size_t)>& value_of) {
    for (std::size_t server = 0; server < scenario_.capacities.size(); ++server)
      add("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"/>",
          steps(panel, [&](const Sample& sample) { return value_of(sample, server); }), color(server), width);
  }

  // At the end of each line; moved apart where they would overlap.
  void names(const Panel& panel, const std::function<double(const Sample&, std::size_t)>& value_of,
             bool with_capacity) {
    const double apart = with_capacity ? 34 : 16;
    std::vector<std::pair<double, std::size_t>> places;
    for (std::size_t server = 0; server < scenario_.capacities.size(); ++server) {
      double mean = 0;
      for (std::size_t i = samples_.size() - 10; i < samples_.size(); ++i)
        mean += panel.y(value_of(samples_[i], server)) / 10;
      places.emplace_back(mean, server);
    }
    std::sort(places.begin(), places.end(), std::greater<>());
    double limit = panel.bottom() + 4;
    for (auto [y, server] : places) {
      y = std::min(y, limit);
      limit = y - apart;
      add("<text x=\"{}\" y=\"{:.1f}\" fill=\"{}\" font-weight=\"bold\">server {}</text>", kRight + 10, y + 4.5,
          color(server), server + 1);
      if (!with_capacity) continue;
      add("<text x=\"{}\" y=\"{:.1f}\" fill=\"{}\" font-size=\"12\">capacity {:.1f} %</text>", kRight + 10, y + 19.5,
          color(server), 100 * samples_.back().capacity_share[server]);
    }
  }

  void seconds(double bottom) {
    const double step = scenario_.seconds > 300 ? 60 : 30;
    for (double at_s = 0; at_s <= scenario_.seconds; at_s += step) {
      add("<path d=\"M{:.1f} {:.1f}v5\" stroke=\"#999\"/>", x(at_s), bottom);
      add("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\" fill=\"#666\">{:.0f}{}</text>", x(at_s), bottom + 20,
          at_s, at_s == 0 ? " s" : "");
    }
    add("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\" fill=\"#666\">seconds since the manager was started, "
        "all "
        "servers of equal weight</text>",
        (kLeft + kRight) / 2, bottom + 39);
  }

  const Scenario& scenario_;
  const std::vector<Sample>& samples_;
  std::string text_;
};

}  // namespace

std::string picture_of(const Scenario& scenario, const std::vector<Sample>& samples) {
  return Page(scenario, samples).draw();
}

}  // namespace xdplb::convergence
