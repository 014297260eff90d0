package shop;

public class Good {
    public int id;
    public String name;
    public int cents;
}
