// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/session/engines.h"

#include "vmm/session/kvm/kvm_session.h"
#include "vmm/session/soft/soft_session.h"

namespace namsan {

static constexpr std::string_view flatEngine = "soft:translator, flat";

std::vector<Engine> sessionEngines()
{
    const auto kvm = [](unsigned vcpus) {
        return [vcpus](GuestMemory& memory, const Clock& clock, const CpuModel& model,
                   GuestBus& bus) -> Result<std::unique_ptr<VmSession>> {
            static const CpuModel withApic = CpuModel::standard().withLocalApic();
            auto made = KvmSession::create(memory, clock, vcpus > 1 ? withApic : model, bus, vcpus);
            if (!made)
                return made.error();
            return std::unique_ptr<VmSession>(std::move(*made));
        };
    };
    const auto translator = [](MemoryFormWish form) {
        return [form](GuestMemory& memory, const Clock& clock, const CpuModel& model,
                   GuestBus& bus) -> Result<std::unique_ptr<VmSession>> {
            auto made = std::make_unique<SoftSession>(memory, clock, model, bus);
            TranslatorOptions atOnce; // the programs are short
            atOnce.codeBytes = 8 << 20;
            atOnce.hotAfter = 1;
            if (auto started = made->startTranslator(form, atOnce); !started)
                return started.error();
            return std::unique_ptr<VmSession>(std::move(made));
        };
    };
    return {
        { "soft:interpreter",
            [](GuestMemory& memory, const Clock& clock, const CpuModel& model,
                GuestBus& bus) -> Result<std::unique_ptr<VmSession>> {
                return std::unique_ptr<VmSession>(std::make_unique<SoftSession>(memory, clock, model, bus));
            } },
        { "soft:translator, tlb", translator(MemoryFormWish::Tlb) },
        { std::string(flatEngine), translator(MemoryFormWish::Flat) }, { "kvm", kvm(1) },
        { "kvm, one of two", kvm(2) }, // the other waits for its SIPI
    };
}

bool isKvm(const Engine& engine)
{
    return engine.name.starts_with("kvm");
}

std::string kvmTrouble()
{
    const auto device = KvmDevice::open();
    return device ? "" : device.error().message;
}

std::string troubleOf(const Engine& engine)
{
    if (isKvm(engine))
        return kvmTrouble();
    if (engine.name != flatEngine)
        return {};
    const MemoryFormChoice choice = chooseMemoryForm(MemoryFormWish::Flat);
    return choice.flat ? "" : choice.reason;
}

} // namespace namsan
