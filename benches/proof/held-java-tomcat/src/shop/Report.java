package shop;

import java.util.concurrent.Callable;

public class Report implements Callable<Object> {
    @Override
    public Object call() throws Exception {
        return Store.all().stream().mapToInt(good -> good.cents).summaryStatistics().toString();
    }
}
